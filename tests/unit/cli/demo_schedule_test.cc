#include "cli/demo_schedule.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

TEST(DemoSchedule, tells_its_story_in_order) {
  for (const Duration duration : {kShortestDemo, Duration(16s), kLongestDemo}) {
    const auto schedule = DemoSchedule::over(duration);

    EXPECT_LT(Duration::zero(), schedule.backend_dies);
    EXPECT_LT(schedule.backend_dies, schedule.backend_returns);
    EXPECT_LT(schedule.backend_returns, schedule.connections_open);
    EXPECT_LT(schedule.connections_open, schedule.worker_death(0));
    EXPECT_LT(schedule.worker_death(DemoSchedule::kWorkerDeaths - 1), schedule.upgrade);
    EXPECT_LT(schedule.upgrade, schedule.end);
    EXPECT_EQ(schedule.end, duration);
  }
}

TEST(DemoSchedule, grows_with_its_duration) {
  const auto one = DemoSchedule::over(16s);
  const auto twice = DemoSchedule::over(32s);

  EXPECT_EQ(twice.backend_dies, 2 * one.backend_dies);
  EXPECT_EQ(twice.worker_death(9), 2 * one.worker_death(9));
  EXPECT_EQ(twice.upgrade, 2 * one.upgrade);
}

TEST(DemoSchedule, puts_nothing_on_a_row_of_the_table) {
  const auto schedule = DemoSchedule::over(16s);
  const auto is_between_rows = [](Duration at) { return at % Duration(1s) >= 100ms; };

  EXPECT_TRUE(is_between_rows(schedule.backend_dies));
  EXPECT_TRUE(is_between_rows(schedule.backend_returns));
  EXPECT_TRUE(is_between_rows(schedule.connections_open));
  for (int number = 0; number < DemoSchedule::kWorkerDeaths; ++number) {
    EXPECT_TRUE(is_between_rows(schedule.worker_death(number))) << number;
  }
  EXPECT_TRUE(is_between_rows(schedule.upgrade));
}

TEST(DemoSchedule, lets_no_worker_die_young) {
  EXPECT_GT(DemoSchedule::over(kShortestDemo).between_deaths, 250ms);
}

}  // namespace
}  // namespace holdfast::cli
