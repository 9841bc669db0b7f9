#include "holdfast/pool/connect_times.h"

#include <gtest/gtest.h>

#include <set>

namespace holdfast::pool {
namespace {

using namespace std::chrono_literals;

class ConnectTimesTest : public ::testing::Test {
 protected:
  void observe(int times, Duration taken) {
    for (int i = 0; i < times; ++i) {
      times_.observe(taken, now_);
    }
  }

  ConnectTimes times_;
  TimePoint now_{1000s};
};

TEST_F(ConnectTimesTest, say_nothing_of_a_few) {
  observe(49, 1ms);
  EXPECT_EQ(times_.p99(now_), std::nullopt);
  observe(1, 1ms);
  EXPECT_NE(times_.p99(now_), std::nullopt);
}

TEST_F(ConnectTimesTest, are_at_most_a_quarter_too_high) {
  for (const std::chrono::microseconds taken :
       {20us, 130us, 999us, 5000us, 70'001us, 999'999us, 15'000'000us}) {
    ConnectTimes times;
    for (int i = 0; i < 50; ++i) {
      times.observe(taken, now_);
    }
    ASSERT_TRUE(times.p99(now_));
    EXPECT_GE(*times.p99(now_), taken);
    EXPECT_LE(*times.p99(now_), taken * 5 / 4);
  }
}

TEST_F(ConnectTimesTest, leave_out_the_slowest_hundredth) {
  observe(990, 1ms);
  observe(10, 2s);
  EXPECT_LT(*times_.p99(now_), 2ms);
  observe(1, 2s);
  EXPECT_GE(*times_.p99(now_), 2s);
}

TEST_F(ConnectTimesTest, are_forgotten_after_twenty_seconds) {
  observe(100, 200ms);
  now_ += 9s;
  observe(100, 1ms);
  EXPECT_GE(*times_.p99(now_), 200ms);
  now_ += 11s;
  EXPECT_EQ(times_.p99(now_), std::nullopt);
  observe(100, 1ms);
  EXPECT_LT(*times_.p99(now_), 2ms);
}

TEST_F(ConnectTimesTest, may_be_anything) {
  observe(25, -1s);
  observe(25, 0s);
  EXPECT_EQ(*times_.p99(now_), 16us);
  observe(50, 24h);
  EXPECT_GE(*times_.p99(now_), 16s);
}

TEST_F(ConnectTimesTest, are_looked_at_a_few_times_a_second) {
  EXPECT_EQ(times_.delay(now_), 100ms);
  observe(100, 1ms);
  EXPECT_EQ(times_.delay(now_ + 199ms), 100ms);
  EXPECT_EQ(times_.delay(now_ + 200ms), 30ms);
}

TEST(HedgeDelay, is_three_times_the_p99_within_bounds) {
  EXPECT_EQ(hedge_delay(std::nullopt), 100ms);
  EXPECT_EQ(hedge_delay(100us), 30ms);
  EXPECT_EQ(hedge_delay(10ms), 30ms);
  EXPECT_EQ(hedge_delay(10001us), 40ms);
  EXPECT_EQ(hedge_delay(30ms), 100ms);
  EXPECT_EQ(hedge_delay(33ms), 100ms);
  EXPECT_EQ(hedge_delay(50ms), 150ms);
  EXPECT_EQ(hedge_delay(84ms), 250ms);
  EXPECT_EQ(hedge_delay(10s), 250ms);
}

TEST(HedgeDelay, is_one_of_few) {
  std::set<Duration> delays;
  for (Duration p99 = 0ms; p99 < 200ms; p99 += 100us) {
    delays.insert(hedge_delay(p99));
  }
  EXPECT_LE(delays.size(), 10U);
}

}  // namespace
}  // namespace holdfast::pool
