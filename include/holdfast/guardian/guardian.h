#pragma once

#include <sys/types.h>

#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/guardian/backoff.h"
#include "holdfast/guardian/watchdog.h"
#include "holdfast/state/shared_state.h"
#include "holdfast/takeover/image.h"

namespace holdfast::guardian {

// What runs in a worker. A guardian knows nothing of it but that it returns an exit code.
class WorkerProgram {
 public:
  // In the new process, which has a copy of this one's memory and shares its descriptors. Whose
  // worker it is: the guardian may be gone by the time it looks.
  virtual int run(pid_t guardian) = 0;

 protected:
  ~WorkerProgram() = default;
};

// Keeps a worker alive. It shares its table of descriptors with the worker and not its memory
// (clone(2) with CLONE_FILES and without CLONE_VM), so that a worker's death closes nothing: the
// guardian clones a successor, which goes on with every connection.
//
// A process with one thread that waits in poll(2). Once running it allocates nothing and opens
// nothing: a descriptor of its own could be taken by a successor for one that the dead worker left.
// What it reads from shared memory it checks, since a worker that went astray may have written it.
class Guardian {
 public:
  struct Options {
    // The program file and its command line, to go on as when an upgrade is asked for.
    const takeover::Image& upgraded;
    // The instance lived before: there are connections that it mustn't give up at the first worker
    // that can't start.
    bool takes_over = false;
  };

  // Blocks the signals it is to receive and makes its descriptors. `shared`, `program` and the
  // image outlive the guardian. Called while the process has one thread, and before the first
  // worker.
  [[nodiscard]] static Result<Guardian> create(const Options& options, state::SharedState& shared,
                                               WorkerProgram& program);

  // Until the worker has ended because it was asked to, or has refused to start at all. The
  // process's exit code.
  //
  // SIGTERM, SIGINT: ends the worker in order. SIGHUP: has it read its configuration again.
  // SIGUSR1: ends the process and leaves a worker that serves alone. SIGUSR2: becomes the program
  // that its own file is now, and goes back if that is no good.
  [[nodiscard]] int run();

  // Its own descriptor, which is not to be closed by any worker.
  [[nodiscard]] int fd() const { return signals_.get(); }

 private:
  Guardian(const Options& options, state::SharedState& shared, WorkerProgram& program, Fd signals);

  void start_worker();
  void take_signals();
  void on_asked_to_end();
  void do_what_is_wanted();
  void begin_upgrade();
  void upgrade();
  void go_on_as_before();
  void on_child_ended();
  void on_worker_ended(int status);
  void watch_over();
  void end_hung_worker();
  [[nodiscard]] int wait_milliseconds() const;
  [[nodiscard]] state::DeathCause classify(int status) const;

  Options options_;
  state::SharedState& shared_;
  WorkerProgram& program_;
  Fd signals_;
  Backoff backoff_;
  Watchdog watchdog_;
  pid_t worker_ = -1;  // -1: none, the next one is due at start_at_
  TimePoint start_at_{};
  TimePoint started_{};      // the worker
  bool has_served_ = false;  // any worker
  bool ending_ = false;
  bool leave_wanted_ = false;
  bool upgrade_wanted_ = false;
  bool worker_makes_way_ = false;  // for an upgrade
  pid_t keeper_ = -1;              // while it makes way
  TimePoint make_way_by_{};
  int exit_code_ = -1;  // -1: goes on
};

}  // namespace holdfast::guardian
