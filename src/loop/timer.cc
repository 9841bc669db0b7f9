#include "holdfast/loop/timer.h"

#include <algorithm>

namespace holdfast::loop {
namespace {

// libuv counts from the beginning of the turn. That may be long ago, in a turn with much to do or
// when the whole machine was paused: then a time limit would be over as soon as it is set.
Duration since_turn_began(const uv_timer_t& timer) {
  return Clock::now() - TimePoint(std::chrono::milliseconds(uv_now(timer.loop)));
}

std::uint64_t to_milliseconds(Duration duration) {
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(duration).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(rounded, 0));
}

}  // namespace

Timer::Timer(Loop& loop, std::function<void()> callback)
    : handle_(new uv_timer_t), callback_(std::move(callback)) {
  loop.assert_on_thread();
  uv_timer_init(loop.raw(), handle_.get());
  handle_->data = this;
}

void Timer::start_once(Duration after) {
  start(after, Duration::zero());
}

void Timer::start_every(Duration interval) {
  start(interval, interval);
}

void Timer::start(Duration after, Duration repeat) {
  if (after > Duration::zero()) {
    after += since_turn_began(*handle_);
  }
  uv_timer_start(
      handle_.get(),
      [](uv_timer_t* handle) {
        // A copy, since the callback may destroy the Timer that holds it.
        const auto callback = static_cast<Timer*>(handle->data)->callback_;
        callback();
      },
      to_milliseconds(after), to_milliseconds(repeat));
}

void Timer::stop() {
  uv_timer_stop(handle_.get());
}

bool Timer::is_running() const {
  return uv_is_active(reinterpret_cast<const uv_handle_t*>(handle_.get())) != 0;
}

}  // namespace holdfast::loop
