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

}  // namespace
}  // namespace holdfast::relay
