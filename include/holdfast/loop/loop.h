#pragma once

#include <uv.h>

#include <functional>
#include <thread>

#include "holdfast/base/clock.h"

namespace holdfast::loop {

// One libuv loop and the thread that runs it. Everything built on a loop (Poll, Timer, Mailbox,
// Signals) is made, used and destroyed on that thread, except where it says otherwise; before
// run() and after it returned, that is the thread which holds the Loop.
class Loop {
 public:
  Loop();
  // Every handle must have been destroyed before; the loop turns until their closing is done.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Turns until stop() or until nothing is left to wait for.
  void run();
  // On the loop's own thread: run() returns at the end of this turn.
  void stop();

  // The time this turn began, in milliseconds' resolution: what deadlines are measured by.
  [[nodiscard]] TimePoint now() const;

  void assert_on_thread() const;
  [[nodiscard]] uv_loop_t* raw() { return &loop_; }

 private:
  uv_loop_t loop_{};
  std::thread::id thread_;
};

namespace detail {

// Owns a libuv handle on the heap: the deleter calls uv_close, and the memory goes in the close
// callback, since libuv still touches a handle until then.
struct CloseHandle {
  template <class Handle>
  void operator()(Handle* handle) const {
    uv_close(reinterpret_cast<uv_handle_t*>(handle),
             [](uv_handle_t* closed) { delete reinterpret_cast<Handle*>(closed); });
  }
};

}  // namespace detail
}  // namespace holdfast::loop
