#include "health/schedule.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <vector>

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

TEST(FirstCheck, has_its_own_part_of_the_interval_among_those_that_begin_together) {
  Random random(1);
  for (std::size_t place = 0; place < 1000; ++place) {
    const auto after = first_check_after(2s, random, place, 1000);
    EXPECT_GE(after, place * Duration(2ms));
    EXPECT_LE(after, (place + 1) * Duration(2ms));
  }
}

// A thousand backends every 2 s, for a minute: never more than twice as many as on average.
TEST(Schedule, keeps_checks_spread) {
  constexpr auto kWindow = 100ms;
  Random random(1);
  std::vector<int> windows(600);
  for (std::size_t place = 0; place < 1000; ++place) {
    auto at = first_check_after(2s, random, place, 1000);
    while (at < 60s) {
      ++windows.at(static_cast<std::size_t>(at / kWindow));
      at += next_check_after(2s, random);
    }
  }
  EXPECT_LE(*std::ranges::max_element(windows), 100);
}

HealthConfig with_intervals(std::optional<Milliseconds> fast, std::optional<Milliseconds> down) {
  HealthConfig config;
  config.interval = 2s;
  config.fast_interval = fast;
  config.down_interval = down;
  return config;
}

TEST(Interval, is_the_fast_one_until_the_state_is_settled) {
  using state::Health;
  const auto config = with_intervals(500ms, 10s);
  EXPECT_EQ(interval_for({Health::unknown, 0, 0, 0}, config), 500ms);
  EXPECT_EQ(interval_for({Health::up, 9, 0, 0}, config), 2s);
  EXPECT_EQ(interval_for({Health::up, 0, 1, 0}, config), 500ms);
  EXPECT_EQ(interval_for({Health::down, 0, 9, 0}, config), 10s);
  EXPECT_EQ(interval_for({Health::down, 1, 0, 0}, config), 500ms);
}

TEST(Interval, is_the_usual_one_where_no_other_is_configured) {
  using state::Health;
  const auto config = with_intervals({}, {});
  for (const auto health : {Health::unknown, Health::up, Health::down}) {
    EXPECT_EQ(interval_for({health, 1, 0, 0}, config), 2s);
    EXPECT_EQ(interval_for({health, 0, 1, 0}, config), 2s);
  }
}

TEST(MakeUp, lets_what_is_due_run_at_once) {
  Random random(1);
  const TimePoint now(1h);
  EXPECT_EQ(make_up_after(now, now, 2s, random), 0s);
  EXPECT_EQ(make_up_after(now - 50ms, now, 2s, random), 0s);
}

// After a pause, all that were due in it are due at once.
TEST(MakeUp, spreads_what_a_pause_held_up) {
  Random random(1);
  const TimePoint now(1h);
  for (const Duration pause : {Duration(1s), Duration(2s), Duration(1h)}) {
    std::array<int, 10> tenths{};
    for (int i = 0; i < 1000; ++i) {
      const auto due = now - std::min(pause, Duration(2s)) * i / 1000;
      const auto late = pause > 2s ? pause - (now - due) : now - due;
      const auto after = make_up_after(now - late, now, 2s, random);
      ASSERT_GE(after, 0s);
      ASSERT_LE(after, std::min(pause, Duration(2s)));
      const auto span = std::min(pause, Duration(2s));
      ++tenths.at(std::min<std::size_t>(static_cast<std::size_t>(after * 10 / span), 9));
    }
    EXPECT_LE(*std::ranges::max_element(tenths), 200) << "twice the mean";
  }
}

// scar 37: neither 32 bits of milliseconds (49.7 days) nor the clock's last years are an end.
TEST(Schedule, goes_on_where_a_clock_wraps) {
  Random random(1);
  const auto wrap = std::chrono::milliseconds(std::uint64_t{1} << 32U);
  const auto last = std::chrono::duration_cast<std::chrono::milliseconds>(
      Duration::max() - std::chrono::hours(24 * 365));
  for (const auto end : {wrap, last}) {
    TimePoint now(end - 20s);
    for (int checks = 0; checks < 100; ++checks) {
      const auto due = now + next_check_after(2s, random);
      ASSERT_GT(due, now);
      ASSERT_LE(due - now, 2200ms);
      ASSERT_EQ(make_up_after(due, due, 2s, random), 0s);
      now = due;
    }
    EXPECT_GT(now.time_since_epoch(), end);
  }
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
