#include "worker/closings.h"

#include <gtest/gtest.h>

namespace holdfast::worker {
namespace {

using namespace std::chrono_literals;

TEST(UsualSpread, is_a_tenth_of_the_time_before_it) {
  EXPECT_EQ(usual_spread(1min), 6s);
}

TEST(UsualSpread, is_never_a_moment) {
  EXPECT_EQ(usual_spread(0s), 1s);
  EXPECT_EQ(usual_spread(2s), 1s);
}

TEST(UsualSpread, comes_to_an_end) {
  EXPECT_EQ(usual_spread(5min), 30s);
  EXPECT_EQ(usual_spread(24h), 30s);
}

}  // namespace
}  // namespace holdfast::worker
