#include "cli/wording.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

TEST(Wording, groups_thousands) {
  EXPECT_EQ(with_separators(0), "0");
  EXPECT_EQ(with_separators(999), "999");
  EXPECT_EQ(with_separators(1000), "1,000");
  EXPECT_EQ(with_separators(1234567), "1,234,567");
}

TEST(Wording, shows_a_digit_of_short_times_only) {
  EXPECT_EQ(in_milliseconds(0ms), "0.0 ms");
  EXPECT_EQ(in_milliseconds(420us), "0.4 ms");
  EXPECT_EQ(in_milliseconds(12600us), "13 ms");
  EXPECT_EQ(in_milliseconds(1250ms), "1,250 ms");
}

TEST(Wording, speaks_of_one_and_of_many) {
  EXPECT_EQ(count_of(1, "request"), "1 request");
  EXPECT_EQ(count_of(0, "request"), "0 requests");
  EXPECT_EQ(count_of(6000, "request"), "6,000 requests");
}

}  // namespace
}  // namespace holdfast::cli
