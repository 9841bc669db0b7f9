#include "holdfast/guardian/backoff.h"

#include <gtest/gtest.h>

namespace holdfast::guardian {
namespace {

using namespace std::chrono_literals;

constexpr Duration kShort = 1ms;
constexpr Duration kLong = 1min;

TEST(Backoff, lets_a_crash_now_and_then_cost_no_time) {
  Backoff backoff;
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(backoff.after_life_of(kLong), Duration::zero());
  }
}

TEST(Backoff, waits_longer_and_longer_for_who_dies_at_once_up_to_a_second) {
  Backoff backoff;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(backoff.after_life_of(kShort), Duration::zero()) << "it may have been chance";
  }
  for (const Duration expected : {10ms, 20ms, 40ms, 80ms, 160ms, 320ms, 640ms}) {
    EXPECT_EQ(backoff.after_life_of(kShort), expected);
  }
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(backoff.after_life_of(kShort), 1s);
  }
}

TEST(Backoff, forgets_once_somebody_has_lived) {
  Backoff backoff;
  for (int i = 0; i < 10; ++i) {
    static_cast<void>(backoff.after_life_of(kShort));
  }
  EXPECT_EQ(backoff.after_life_of(kLong), Duration::zero());
  EXPECT_EQ(backoff.after_life_of(kShort), Duration::zero());
}

}  // namespace
}  // namespace holdfast::guardian
