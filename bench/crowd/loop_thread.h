#pragma once

#include <functional>
#include <thread>

#include "holdfast/loop/loop.h"
#include "holdfast/loop/mailbox.h"

namespace holdfast::bench {

// A loop on a thread of its own. What lives on the loop is made before start() and destroyed after
// stop(), both by the thread that owns this.
class LoopThread {
 public:
  LoopThread() : inbox_(loop_) {}
  ~LoopThread() { stop(); }
  LoopThread(LoopThread&&) = delete;

  [[nodiscard]] loop::Loop& loop() { return loop_; }

  void start() {
    thread_ = std::thread([this] { loop_.run(); });
  }
  // Runs it on the thread, some time soon.
  void post(std::function<void()> message) { inbox_.post(std::move(message)); }
  void stop() {
    if (thread_.joinable()) {
      post([this] { loop_.stop(); });
      thread_.join();
    }
  }

 private:
  loop::Loop loop_;
  loop::Mailbox inbox_;
  std::thread thread_;
};

}  // namespace holdfast::bench
