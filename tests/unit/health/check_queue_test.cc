#include "health/check_queue.h"

#include <gtest/gtest.h>

namespace holdfast::health {
namespace {

TEST(CheckQueue, lets_so_many_run_and_the_others_in_order) {
  CheckQueue queue(2);
  EXPECT_TRUE(queue.begin(1));
  EXPECT_TRUE(queue.begin(2));
  EXPECT_FALSE(queue.begin(3));
  EXPECT_FALSE(queue.begin(4));
  EXPECT_FALSE(queue.next()) << "all places are taken";
  queue.end(2);
  EXPECT_EQ(queue.next(), 3);
  EXPECT_FALSE(queue.next());
  queue.end(1);
  queue.end(3);
  EXPECT_EQ(queue.next(), 4);
  EXPECT_FALSE(queue.next());
  EXPECT_EQ(queue.under_way(), 1U);
}

TEST(CheckQueue, begins_no_check_that_is_under_way_already) {
  CheckQueue queue(2);
  ASSERT_TRUE(queue.begin(1));
  EXPECT_FALSE(queue.begin(1));
  EXPECT_EQ(queue.waiting(), 0U);
  queue.end(1);
  EXPECT_TRUE(queue.begin(1));
}

TEST(CheckQueue, lets_nobody_overtake_those_that_wait) {
  CheckQueue queue(1);
  ASSERT_TRUE(queue.begin(1));
  EXPECT_FALSE(queue.begin(2));
  queue.end(1);
  EXPECT_FALSE(queue.begin(3)) << "2 was there before";
  EXPECT_EQ(queue.next(), 2);
  queue.end(2);
  EXPECT_EQ(queue.next(), 3);
}

TEST(CheckQueue, forgets_who_is_removed_while_waiting_or_running) {
  CheckQueue queue(1);
  ASSERT_TRUE(queue.begin(1));
  EXPECT_FALSE(queue.begin(2));
  EXPECT_FALSE(queue.begin(3));
  queue.end(2);
  queue.end(1);
  EXPECT_EQ(queue.next(), 3);
  queue.end(9);  // never was there
  EXPECT_EQ(queue.under_way(), 1U);
  EXPECT_EQ(queue.waiting(), 0U);
}

TEST(CheckQueue, has_nobody_in_it_twice) {
  CheckQueue queue(1);
  ASSERT_TRUE(queue.begin(1));
  EXPECT_FALSE(queue.begin(1));
  EXPECT_FALSE(queue.begin(2));
  EXPECT_FALSE(queue.begin(2));
  EXPECT_EQ(queue.waiting(), 1U);
}

TEST(CheckQueue, keeps_to_another_limit_from_then_on) {
  CheckQueue queue(3);
  for (std::uint16_t backend = 1; backend <= 3; ++backend) {
    ASSERT_TRUE(queue.begin(backend));
  }
  queue.set_limit(1);
  EXPECT_FALSE(queue.begin(4));
  queue.end(1);
  queue.end(2);
  EXPECT_FALSE(queue.next());
  queue.end(3);
  EXPECT_EQ(queue.next(), 4);
  queue.set_limit(2);
  EXPECT_TRUE(queue.begin(5));
}

}  // namespace
}  // namespace holdfast::health
