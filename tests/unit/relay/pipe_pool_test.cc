#include "relay/pipe_pool.h"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace holdfast::relay {
namespace {

int size_of(Pipe pipe) {
  return ::fcntl(pipe.write, F_GETPIPE_SZ);
}

TEST(PipePool, lends_a_pipe_again_that_came_back) {
  PipePool pool(10, 4);
  const auto first = pool.borrow(false);
  ASSERT_TRUE(first.is_open());
  EXPECT_EQ(pool.lent_pipes(), 1U);
  pool.give_back(first);
  EXPECT_EQ(pool.lent_pipes(), 0U);
  const auto again = pool.borrow(false);
  EXPECT_EQ(again.read, first.read);
  pool.give_back(again);
  EXPECT_EQ(pool.open_pipes(), 1U);
}

// scar 5
TEST(PipePool, never_lends_a_discarded_pipe_again) {
  PipePool pool(1, 0);
  pool.discard(pool.borrow(false));
  EXPECT_EQ(pool.open_pipes(), 0U);
  const auto fresh = pool.borrow(false);
  EXPECT_TRUE(fresh.is_open());
  pool.give_back(fresh);
}

// scar 3
TEST(PipePool, has_no_more_pipes_than_its_limit) {
  PipePool pool(1, 1);
  const auto only = pool.borrow(true);
  EXPECT_FALSE(pool.borrow(false).is_open());
  EXPECT_FALSE(pool.borrow(true).is_open());
  pool.give_back(only);
}

// scar 2
TEST(PipePool, makes_as_many_large_pipes_as_it_may_and_then_lends_small_ones) {
  PipePool pool(10, 1);
  const auto large = pool.borrow(true);
  EXPECT_EQ(size_of(large), static_cast<int>(kLargePipe));
  const auto small = pool.borrow(true);
  EXPECT_LT(size_of(small), static_cast<int>(kLargePipe));
  pool.give_back(small);
  const auto again = pool.borrow(true);
  EXPECT_EQ(again.read, small.read) << "no pipe is made for a wish that can't be granted";
  pool.give_back(again);
  pool.give_back(large);
}

// scar 2
TEST(PipePool, lends_as_many_roomy_pipes_as_it_may_and_takes_them_back_as_usual_ones) {
  PipePool pool(10, 0, 2);
  const auto one = pool.borrow_roomy(true);
  ASSERT_TRUE(one.is_open());
  EXPECT_EQ(size_of(one), static_cast<int>(kRoomyPipe));
  EXPECT_FALSE(pool.borrow_roomy(true).is_open()) << "half of them are for others";
  const auto two = pool.borrow_roomy(false);
  ASSERT_TRUE(two.is_open());
  EXPECT_FALSE(pool.borrow_roomy(false).is_open());
  pool.give_back(one);
  pool.discard(two);
  const auto usual = pool.borrow(false);
  EXPECT_EQ(usual.read, one.read);
  EXPECT_LT(size_of(usual), static_cast<int>(kRoomyPipe));
  pool.give_back(usual);
  const auto again = pool.borrow_roomy(true);
  EXPECT_TRUE(again.is_open());
  pool.give_back(again);
}

TEST(PipePool, knows_of_what_size_the_pipes_are_that_another_worker_has_left) {
  PipePool before(10, 1, 2);
  PipePool pool(10, 1, 2);
  const auto large = before.borrow(true);
  const auto roomy = before.borrow_roomy(false);
  pool.adopt(large);
  pool.adopt(roomy);
  EXPECT_FALSE(pool.borrow_roomy(true).is_open());
  pool.give_back(roomy);
  EXPECT_LT(size_of(roomy), static_cast<int>(kRoomyPipe));
  pool.give_back(large);
  EXPECT_EQ(pool.borrow(true).read, large.read);
  pool.discard(large);
}

}  // namespace
}  // namespace holdfast::relay
