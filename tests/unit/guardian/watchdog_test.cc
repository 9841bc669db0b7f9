#include "holdfast/guardian/watchdog.h"

#include <gtest/gtest.h>

#include "support/test_state.h"

namespace holdfast::guardian {
namespace {

using namespace std::chrono_literals;
using state::Phase;
using Verdict = Watchdog::Verdict;

class WatchdogTest : public ::testing::Test {
 protected:
  static constexpr Duration kLimit = 2s;

  WatchdogTest() {
    set_limit(kLimit);
    beat();
    dog_.begin(now_);
    state_.set_phase(Phase::serving);
  }

  void set_limit(Duration limit) {
    state_.shared().supervision.watchdog.set(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::milliseconds>(limit).count()));
  }
  void beat() {
    const auto stamp = static_cast<std::uint64_t>(to_nanoseconds(now_));
    state_.shared().control_heartbeat.set(stamp);
    for (unsigned thread = 0; thread < 2; ++thread) {
      state_.thread(thread).heartbeat.set(stamp);
    }
  }
  // What it says after so much time in which it looked four times a second.
  Verdict after(Duration time) {
    auto verdict = Verdict::alive;
    for (const auto until = now_ + time; now_ < until && verdict == Verdict::alive;) {
      now_ += 250ms;
      verdict = dog_.look(now_);
    }
    return verdict;
  }

  testing::TestState state_{2};
  TimePoint now_ = TimePoint() + 1h;
  Watchdog dog_{state_.shared()};
};

TEST_F(WatchdogTest, lets_a_worker_be_that_shows_life) {
  for (int i = 0; i < 20; ++i) {
    beat();
    EXPECT_EQ(after(kLimit), Verdict::alive);
  }
  EXPECT_FALSE(dog_.found_it_hung());
}

TEST_F(WatchdogTest, finds_a_silent_control_thread) {
  EXPECT_EQ(after(kLimit), Verdict::alive);
  EXPECT_EQ(after(250ms), Verdict::hangs);
  EXPECT_TRUE(dog_.found_it_hung());
  EXPECT_EQ(state_.shared().supervision.fatal_thread.get(), state::kNoThread);
}

TEST_F(WatchdogTest, names_the_relay_thread_that_is_silent) {
  now_ += 500ms;
  const auto stamp = static_cast<std::uint64_t>(to_nanoseconds(now_));
  state_.shared().control_heartbeat.set(stamp);
  state_.thread(0).heartbeat.set(stamp);
  EXPECT_EQ(after(kLimit), Verdict::hangs);
  EXPECT_EQ(state_.shared().supervision.fatal_thread.get(), 1U);
}

TEST_F(WatchdogTest, does_not_wait_for_a_thread_that_was_never_started) {
  state_.thread(1).heartbeat.set(0);
  for (int i = 0; i < 4; ++i) {
    const auto stamp = static_cast<std::uint64_t>(to_nanoseconds(now_));
    state_.shared().control_heartbeat.set(stamp);
    state_.thread(0).heartbeat.set(stamp);
    EXPECT_EQ(after(kLimit), Verdict::alive);
  }
}

TEST_F(WatchdogTest, gives_a_hung_worker_half_a_second_for_its_stack) {
  ASSERT_EQ(after(kLimit + 250ms), Verdict::hangs);
  EXPECT_EQ(after(500ms), Verdict::alive);
  EXPECT_EQ(after(250ms), Verdict::wasted);
  EXPECT_EQ(after(250ms), Verdict::wasted) << "until it is gone";
}

TEST_F(WatchdogTest, gives_the_next_worker_all_its_time) {
  ASSERT_EQ(after(kLimit + 250ms), Verdict::hangs);
  dog_.begin(now_);
  EXPECT_FALSE(dog_.found_it_hung());
  EXPECT_EQ(after(kLimit), Verdict::alive);
}

TEST_F(WatchdogTest, does_not_blame_the_worker_for_a_time_in_which_the_machine_stood_still) {
  now_ += 1h;
  EXPECT_EQ(dog_.look(now_), Verdict::alive);
  EXPECT_EQ(after(kLimit), Verdict::alive);
  EXPECT_EQ(after(250ms), Verdict::hangs);
}

TEST_F(WatchdogTest, gives_a_worker_that_starts_a_minute) {
  state_.set_phase(Phase::starting);
  EXPECT_EQ(after(60s), Verdict::alive);
  EXPECT_EQ(after(250ms), Verdict::hangs);
}

TEST_F(WatchdogTest, judges_nobody_when_it_is_off) {
  set_limit(0ms);
  EXPECT_EQ(dog_.limit(), Duration::zero());
  EXPECT_EQ(after(1h), Verdict::alive);
}

TEST_F(WatchdogTest, believes_no_limit_that_the_configuration_could_not_have) {
  set_limit(1ms);
  EXPECT_EQ(dog_.limit(), 1500ms);
  state_.shared().supervision.watchdog.set(UINT32_MAX);
  EXPECT_EQ(dog_.limit(), 24h);
}

}  // namespace
}  // namespace holdfast::guardian
