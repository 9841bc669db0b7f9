#include "holdfast/loop/timer.h"

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <vector>

#include "support/tcp.h"
#include "support/turning.h"

namespace holdfast::loop {
namespace {

using namespace std::chrono_literals;
using testing::turn;
using testing::turn_until;
using testing::TurnCounter;

// Occupies the thread, as a callback with much to do would.
void work_for(Duration span) {
  const auto end = Clock::now() + span;
  while (Clock::now() < end) {
  }
}

TEST(Timer, calls_back_once) {
  Loop loop;
  int calls = 0;
  Timer timer(loop, [&] { ++calls; });
  timer.start_once(1ms);
  EXPECT_TRUE(timer.is_running());
  loop.run();
  EXPECT_EQ(calls, 1);
  EXPECT_FALSE(timer.is_running());
}

TEST(Timer, calls_back_again_and_again_until_it_is_stopped) {
  Loop loop;
  int calls = 0;
  std::optional<Timer> timer;
  timer.emplace(loop, [&] {
    if (++calls == 3) {
      timer->stop();
    }
  });
  timer->start_every(1ms);
  loop.run();
  EXPECT_EQ(calls, 3);
}

TEST(Timer, is_never_early) {
  Loop loop;
  for (const Duration after : {Duration(1ns), Duration(1500us), Duration(5ms), Duration(20ms)}) {
    const auto started = Clock::now();
    Timer timer(loop, [] {});
    timer.start_once(after);
    loop.run();
    EXPECT_GE(Clock::now() - started, after);
  }
}

// A time limit begins when it is set, even if this turn of the loop has lasted long by then:
// otherwise a pause of the whole machine would end every connect that was just begun.
TEST(Timer, counts_from_its_start_and_not_from_the_beginning_of_the_turn) {
  Loop loop;
  const testing::SocketPair pair;
  testing::send_all(pair.far, "!");
  TimePoint started;
  TimePoint ended;
  Timer limit(loop, [&] { ended = Clock::now(); });
  testing::OnReady busy([&](Poll& poll, Readiness) {
    poll.want(false, false);
    work_for(60ms);
    started = Clock::now();
    limit.start_once(50ms);
  });
  Poll poll(loop, pair.near.get(), busy);
  poll.want(true, false);
  loop.run();
  EXPECT_GE(ended - started, 50ms);
}

TEST(Timer, is_set_anew_when_it_is_started_again) {
  Loop loop;
  int calls = 0;
  Timer timer(loop, [&] { ++calls; });
  timer.start_once(1h);
  timer.start_once(1ms);
  loop.run();
  EXPECT_EQ(calls, 1);
}

TEST(Timer, says_nothing_after_it_was_stopped_though_it_was_due) {
  Loop loop;
  int calls = 0;
  Timer timer(loop, [&] { ++calls; });
  timer.start_once(1ms);
  work_for(5ms);
  timer.stop();
  turn(loop);
  EXPECT_EQ(calls, 0);
  EXPECT_FALSE(timer.is_running());
}

// scar 21
TEST(Timer, may_be_destroyed_in_its_own_callback) {
  Loop loop;
  int calls = 0;
  auto kept = std::make_shared<int>(42);  // what the callback holds lives until it returns
  std::optional<Timer> timer;
  timer.emplace(loop, [&timer, &calls, kept] {
    timer.reset();
    calls += *kept;
  });
  timer->start_every(1ms);
  loop.run();
  EXPECT_EQ(calls, 42);
  EXPECT_EQ(kept.use_count(), 1);
}

// scar 21: each of two that are due at once destroys the other.
TEST(Timer, is_not_called_once_another_timer_of_the_same_turn_has_destroyed_it) {
  Loop loop;
  int calls = 0;
  std::optional<Timer> one;
  std::optional<Timer> other;
  one.emplace(loop, [&] {
    ++calls;
    other.reset();
  });
  other.emplace(loop, [&] {
    ++calls;
    one.reset();
  });
  one->start_once(1ms);
  other->start_once(1ms);
  work_for(5ms);
  loop.run();
  EXPECT_EQ(calls, 1);
}

// scar 22: libuv would call back, or abort, for a timer that was started and is closing.
TEST(Timer, is_silent_when_it_is_destroyed_right_after_its_start) {
  Loop loop;
  int calls = 0;
  for (int i = 0; i < 100; ++i) {
    Timer timer(loop, [&] { ++calls; });
    timer.start_once(0ms);
    timer.start_every(1ms);
  }
  turn(loop);
  EXPECT_EQ(calls, 0);
}

// scar 25
TEST(Timer, calls_back_once_for_each_that_was_due_long_ago_and_then_sleeps) {
  Loop loop;
  TurnCounter counter(loop);
  int calls = 0;
  std::vector<std::unique_ptr<Timer>> timers;
  for (const Duration after : {Duration(-1h), Duration(0), Duration(1ms), Duration(2ms)}) {
    for (int i = 0; i < 25; ++i) {
      timers.push_back(std::make_unique<Timer>(loop, [&] { ++calls; }));
      timers.back()->start_once(after);
    }
  }
  work_for(10ms);
  EXPECT_LT(counter.during(100ms), 50);
  EXPECT_EQ(calls, 100);
}

// scar 25: a callback that takes longer than its interval must not starve the sockets.
TEST(Timer, leaves_room_for_others_when_it_cannot_keep_up) {
  Loop loop;
  const testing::SocketPair pair;
  testing::send_all(pair.far, "!");
  bool served = false;
  testing::OnReady handler([&](Poll& poll, Readiness) {
    served = true;
    poll.want(false, false);
  });
  Poll poll(loop, pair.near.get(), handler);
  poll.want(true, false);
  int calls = 0;
  Timer timer(loop, [&] {
    work_for(3ms);
    ++calls;
  });
  timer.start_every(1ms);
  EXPECT_TRUE(turn_until(loop, [&] { return served; }));
  EXPECT_LT(calls, 20);
}

// scar 25
TEST(Timer, lets_its_loop_sleep_between_two_calls) {
  Loop loop;
  TurnCounter counter(loop);
  int calls = 0;
  Timer timer(loop, [&] { ++calls; });
  timer.start_every(10ms);
  const int turns = counter.during(200ms);
  EXPECT_LE(turns, 10 * (calls + 2)) << "for " << calls << " calls";
}

}  // namespace
}  // namespace holdfast::loop
