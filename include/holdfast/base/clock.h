#pragma once

#include <chrono>
#include <cstdint>

namespace holdfast {

// CLOCK_MONOTONIC, nanoseconds in 64 bits: it neither jumps with the wall clock nor wraps.
// Whatever decides by time takes `now` as an argument, so that tests can step it.
using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = Clock::duration;

// Nanoseconds since the clock's origin, the form kept in shared memory.
[[nodiscard]] inline std::int64_t to_nanoseconds(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}
[[nodiscard]] inline TimePoint from_nanoseconds(std::int64_t nanoseconds) {
  return TimePoint(std::chrono::nanoseconds(nanoseconds));
}

// Seconds since 1970, for time stamps that people read.
[[nodiscard]] inline double wall_clock_seconds() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

}  // namespace holdfast
