#pragma once

#include "holdfast/health/checker.h"
#include "holdfast/loop/mailbox.h"
#include "holdfast/loop/signals.h"
#include "holdfast/loop/timer.h"
#include "holdfast/worker/worker.h"
#include "worker/administration.h"
#include "worker/closings.h"
#include "worker/data_plane.h"
#include "worker/guardian_watch.h"
#include "worker/pool_watch.h"
#include "worker/reload.h"

namespace holdfast::worker {

// Checks, signals, reloads, the watchdog's word and the orderly end: what a worker does besides
// relaying. Lives on the thread that calls Worker::run().
class ControlThread {
 public:
  // `in_force`: what comes of the options' configuration.
  ControlThread(loop::Loop& loop, const WorkerOptions& options, const ChangedConfig& in_force,
                DataPlane& plane, state::SharedState& shared, const WorkerEvents& events, Log& log);

  // Until the end is reached. False: a successor goes on.
  [[nodiscard]] bool run();

  // What an operator asks for.
  void reload(const ReloadDone& done);
  void change(const BackendChange& change, const ChangeDone& done);

 private:
  void on_signal(int number);
  void begin_stopping();
  void watch_stopping();
  void beat();
  [[nodiscard]] bool all_threads_turn() const;

  loop::Loop& loop_;
  DataPlane& plane_;
  state::SharedState& shared_;
  const WorkerEvents& events_;
  Log& log_;
  TimePoint stop_by_{};
  bool makes_way_ = false;
  health::Checker checker_;
  PoolWatch pool_watch_;
  Closings closings_;
  Administration administration_;
  Reload reload_;
  loop::Signals signals_;
  GuardianWatch guardian_;
  loop::Timer heartbeat_;
  loop::Timer stop_watch_;
};

}  // namespace holdfast::worker
