#pragma once

#include <memory>
#include <thread>

#include "cli/load_generator.h"
#include "holdfast/loop/loop.h"
#include "holdfast/loop/mailbox.h"

namespace holdfast::cli {

// A LoadGenerator on a loop and a thread of its own, so that nothing its owner waits for delays a
// request. Made, stopped and destroyed by one thread; signals the owner blocked stay blocked here.
class LoadThread {
 public:
  // Starts at once. `on_finished` is called on the new thread.
  [[nodiscard]] static Result<std::unique_ptr<LoadThread>> start(
      LoadOptions options, LoadGenerator::OnFinished on_finished);
  // Stops, and waits for the requests under way, at most their timeout.
  ~LoadThread();
  LoadThread(LoadThread&&) = delete;

  // Sends nothing more that is due later than `duration` after the beginning.
  void end_after(Duration duration);
  // Until the last request has finished.
  void join();

  // When the first request was due.
  [[nodiscard]] TimePoint begin() const { return begin_; }

 private:
  LoadThread() : inbox_(loop_) {}

  loop::Loop loop_;
  loop::Mailbox inbox_;
  std::unique_ptr<LoadGenerator> generator_;
  TimePoint begin_;
  std::thread thread_;
};

}  // namespace holdfast::cli
