#pragma once

#include <csignal>
#include <functional>
#include <initializer_list>
#include <memory>

#include "holdfast/base/fd.h"
#include "holdfast/loop/poll.h"

namespace holdfast::loop {

// Delivers blocked signals to a loop through a signalfd(2): no handlers, no self-pipe, and no
// thread that is interrupted in the middle of a system call. Destroying it inside its own callback
// is allowed.
class Signals final : public Poll::Handler {
 public:
  // Blocks the signals in the calling thread; call it before any other thread is made, since
  // threads inherit the mask.
  static void block(std::initializer_list<int> numbers);

  // The numbers must be blocked already.
  Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> callback);

 private:
  void on_ready(Poll& poll, Readiness ready) override;

  Fd fd_;
  std::function<void(int)> callback_;
  Poll poll_;
};

}  // namespace holdfast::loop
