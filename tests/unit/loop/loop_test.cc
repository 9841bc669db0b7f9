#include "holdfast/loop/loop.h"

#include <gtest/gtest.h>

#include <thread>

#include "holdfast/loop/timer.h"
#include "support/tcp.h"
#include "support/turning.h"

namespace holdfast::loop {
namespace {

using namespace std::chrono_literals;

TEST(Loop, stops_at_the_end_of_the_turn_and_can_run_again) {
  Loop loop;
  int calls = 0;
  Timer timer(loop, [&] {
    ++calls;
    loop.stop();
  });
  timer.start_every(1ms);
  loop.run();
  EXPECT_EQ(calls, 1);
  loop.run();
  EXPECT_EQ(calls, 2);
}

TEST(Loop, belongs_to_the_thread_that_runs_it) {
  Loop loop;
  bool on_its_thread = false;
  Timer timer(loop, [&] {
    loop.assert_on_thread();
    on_its_thread = true;
  });
  timer.start_once(0ms);
  std::thread([&] { loop.run(); }).join();
  EXPECT_TRUE(on_its_thread);
  EXPECT_DEATH(loop.assert_on_thread(), "thread_");
}

TEST(Loop, tells_the_time_of_the_clock_that_everybody_uses) {
  Loop loop;
  TimePoint told;
  TimePoint asked;
  Timer timer(loop, [&] {
    told = loop.now();
    asked = Clock::now();
  });
  timer.start_once(0ms);
  const auto before = Clock::now();
  loop.run();
  EXPECT_LE(told, asked);
  EXPECT_GE(told, before - 10ms) << "whole milliseconds, and maybe the coarse clock";
}

TEST(Loop, leaves_no_descriptor_behind) {
  const auto before = testing::open_descriptors_beside_loops();
  {
    Loop loop;
    Timer timer(loop, [] {});
    timer.start_once(0ms);
    loop.run();
    EXPECT_GT(testing::open_descriptors(), before);
  }
  EXPECT_EQ(testing::open_descriptors(), before);
}

}  // namespace
}  // namespace holdfast::loop
