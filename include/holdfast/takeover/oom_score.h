#pragma once

#include "holdfast/state/shared_state.h"

namespace holdfast::takeover {

// Whom the kernel's OOM killer takes (proc(5), oom_score_adj): a worker rather than its guardian,
// which is small and would start another one. Raising the score is anybody's right, and so is
// taking it down again to where it was. Where it can't be written all stays as it is.

// Of the first guardian; the others have the same.
void note_oom_score(state::SharedState& shared);
void set_guardian_oom_score(const state::SharedState& shared);
void set_worker_oom_score(const state::SharedState& shared);

}  // namespace holdfast::takeover
