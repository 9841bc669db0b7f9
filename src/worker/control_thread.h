#pragma once

#include <memory>
#include <span>
#include <vector>

#include "holdfast/health/checker.h"
#include "holdfast/loop/signals.h"
#include "holdfast/loop/timer.h"
#include "holdfast/worker/worker.h"
#include "worker/guardian_watch.h"
#include "worker/listening_sockets.h"
#include "worker/relay_thread.h"

namespace holdfast::worker {

// Checks, signals, the watchdog's word and the orderly end: what a worker does besides relaying.
// Lives on the thread that calls Worker::run().
class ControlThread {
 public:
  ControlThread(const Config& config, std::span<const std::shared_ptr<pool::Pool>> pools,
                std::span<const std::unique_ptr<RelayThread>> relays, ListeningSockets& sockets,
                state::SharedState& shared, const WorkerEvents& events, Log& log);

  // Until the end is reached.
  void run();

 private:
  void on_signal(int number);
  void begin_stopping();
  void watch_stopping();
  void beat();
  [[nodiscard]] bool all_threads_turn() const;

  loop::Loop loop_;
  std::span<const std::unique_ptr<RelayThread>> relays_;
  ListeningSockets& sockets_;
  state::SharedState& shared_;
  const WorkerEvents& events_;
  Log& log_;
  Duration shutdown_timeout_;
  TimePoint stop_by_{};
  health::Checker checker_;
  loop::Signals signals_;
  GuardianWatch guardian_;
  loop::Timer heartbeat_;
  loop::Timer stop_watch_;
};

}  // namespace holdfast::worker
