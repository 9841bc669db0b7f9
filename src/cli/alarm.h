#pragma once

#include <functional>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/loop/poll.h"

namespace holdfast::cli {

// Calls back at a point of time: a timerfd(2), since libuv's own timers have a millisecond's
// resolution, as long as a whole request. On the loop's thread; what makes it owns it.
class Alarm final : private loop::Poll::Handler {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Alarm>> make(loop::Loop& loop,
                                                           std::function<void()> callback);
  Alarm(Alarm&&) = delete;

  // In place of what was set before; a time already past is at once.
  void set(TimePoint time);
  void stop() { poll_.want(false, false); }

 private:
  Alarm(loop::Loop& loop, Fd timer, std::function<void()> callback);

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;

  Fd timer_;
  std::function<void()> callback_;
  loop::Poll poll_;
};

}  // namespace holdfast::cli
