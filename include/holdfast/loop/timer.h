#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "holdfast/loop/loop.h"

namespace holdfast::loop {

// Calls back once, or again and again, on its loop's thread. Destroying it inside its own
// callback is allowed.
class Timer {
 public:
  Timer(Loop& loop, std::function<void()> callback);
  Timer(Timer&&) = delete;

  // Rounded up to whole milliseconds, from now on: never early. A running timer is set anew.
  void start_once(Duration after);
  void start_every(Duration interval);
  void stop();
  [[nodiscard]] bool is_running() const;

 private:
  void start(Duration after, Duration repeat);

  std::unique_ptr<uv_timer_t, detail::CloseHandle> handle_;
  std::function<void()> callback_;
};

}  // namespace holdfast::loop
