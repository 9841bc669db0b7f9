#include "health/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

namespace holdfast::health {
namespace {

using namespace std::chrono_literals;

TEST(FirstCheck, falls_anywhere_within_one_interval) {
  Random random(1);
  std::array<int, 10> tenths{};
  for (int i = 0; i < 10'000; ++i) {
    const auto after = first_check_after(2s, random);
    ASSERT_GE(after, 0s);
    ASSERT_LE(after, 2s);
    ++tenths.at(std::min<std::size_t>(static_cast<std::size_t>(after / 200ms), 9));
  }
  for (const int checks : tenths) {
    EXPECT_NEAR(checks, 1000, 200);
  }
}

TEST(NextCheck, is_an_interval_away_give_or_take_a_tenth) {
  Random random(1);
  Duration least = 1h;
  Duration most = 0s;
  Duration sum = 0s;
  for (int i = 0; i < 10'000; ++i) {
    const auto after = next_check_after(2s, random);
    least = std::min(least, after);
    most = std::max(most, after);
    sum += after;
  }
  EXPECT_GE(least, 1800ms);
  EXPECT_LE(least, 1810ms);
  EXPECT_LE(most, 2200ms);
  EXPECT_GE(most, 2190ms);
  EXPECT_NEAR(std::chrono::duration<double>(sum / 10'000).count(), 2.0, 0.01);
}

TEST(Schedule, is_the_same_for_the_same_seed_and_another_for_another) {
  Random one(7);
  Random same(7);
  Random other(8);
  const auto of_one = next_check_after(1h, one);
  EXPECT_EQ(next_check_after(1h, same), of_one);
  EXPECT_NE(next_check_after(1h, other), of_one);
}

TEST(Schedule, works_with_the_shortest_and_the_longest_interval) {
  Random random(1);
  for (const Duration interval : {Duration(10ms), Duration(24h)}) {
    for (int i = 0; i < 100; ++i) {
      EXPECT_LE(first_check_after(interval, random), interval);
      EXPECT_GE(next_check_after(interval, random), interval * 9 / 10);
      EXPECT_LE(next_check_after(interval, random), interval * 11 / 10);
    }
  }
}

}  // namespace
}  // namespace holdfast::health
