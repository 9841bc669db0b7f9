#include "holdfast/base/clock.h"

#include <gtest/gtest.h>

#include <ctime>

namespace holdfast {
namespace {

using namespace std::chrono_literals;

std::int64_t monotonic_nanoseconds() {
  timespec now{};
  EXPECT_EQ(::clock_gettime(CLOCK_MONOTONIC, &now), 0);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

// scar 37: the wall clock jumps, and other processes' stamps must be comparable.
TEST(Clock, is_the_kernels_monotonic_clock) {
  const auto before = monotonic_nanoseconds();
  const auto now = to_nanoseconds(Clock::now());
  EXPECT_GE(now, before);
  EXPECT_LE(now, monotonic_nanoseconds());
}

// scar 37: 32 bits of milliseconds wrap after 49.7 days, 64 bits of nanoseconds after 292 years.
TEST(Clock, keeps_every_nanosecond_of_a_long_life) {
  for (const auto since :
       {Duration(0), Duration(1ns), Duration(std::chrono::milliseconds(1LL << 32)),
        Duration(24h * 365 * 100 + 1ns)}) {
    const TimePoint time(since);
    EXPECT_EQ(to_nanoseconds(time), since.count());
    EXPECT_EQ(from_nanoseconds(to_nanoseconds(time)), time);
  }
}

TEST(WallClock, tells_the_seconds_since_1970) {
  const auto before = std::time(nullptr);
  EXPECT_GE(wall_clock_seconds(), static_cast<double>(before) - 1);
  EXPECT_LE(wall_clock_seconds(), static_cast<double>(before) + 60);
}

}  // namespace
}  // namespace holdfast
