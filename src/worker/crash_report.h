#pragma once

#include "holdfast/state/shared_state.h"

namespace holdfast::worker {

// From now on a crash of this process (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) leaves word before
// it ends it: which relay thread it was, in the shared state, and that thread's stack, on standard
// error. `shared` outlives the process's last thread.
void report_crashes(state::SharedState& shared);

// Tells this thread's crashes from others'. Called once by each relay thread.
void report_crashes_of_thread(unsigned index);

}  // namespace holdfast::worker
