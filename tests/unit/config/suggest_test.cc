#include "holdfast/config/suggest.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

namespace holdfast {
namespace {

constexpr std::array<std::string_view, 4> kKnown = {"interval", "timeout", "rise", "fall"};

TEST(Suggest, finds_the_word_behind_each_kind_of_slip) {
  EXPECT_EQ(suggest("intervall", kKnown), "did you mean 'interval'?");  // added
  EXPECT_EQ(suggest("timout", kKnown), "did you mean 'timeout'?");      // left out
  EXPECT_EQ(suggest("inverval", kKnown), "did you mean 'interval'?");   // changed
  EXPECT_EQ(suggest("tiemout", kKnown), "did you mean 'timeout'?");     // swapped
}

TEST(Suggest, takes_the_nearest_of_several) {
  constexpr std::array<std::string_view, 3> known = {"connect", "connections", "connection"};

  EXPECT_EQ(suggest("conections", known), "did you mean 'connections'?");
  EXPECT_EQ(suggest("conect", known), "did you mean 'connect'?");
}

TEST(Suggest, counts_a_swap_of_neighbours_as_one_change) {
  EXPECT_EQ(suggest("fa", std::array<std::string_view, 1>{"af"}), "did you mean 'af'?");
}

TEST(Suggest, lists_what_there_is_when_nothing_is_near) {
  EXPECT_EQ(suggest("port", kKnown), "one of interval, timeout, rise, fall");
  EXPECT_EQ(suggest("rsei", kKnown), "one of interval, timeout, rise, fall");  // two changes of 4
}

TEST(Suggest, guesses_for_a_single_letter_and_for_nothing_at_all) {
  constexpr std::array<std::string_view, 2> known = {"y", "zebra"};

  EXPECT_EQ(suggest("x", known), "did you mean 'y'?");
  EXPECT_EQ(suggest("", known), "did you mean 'y'?");
}

TEST(Suggest, lists_no_more_than_can_be_read) {
  const std::vector<std::string_view> many(33, "word");
  const std::vector<std::string_view> enough(32, "word");

  EXPECT_TRUE(suggest("something else", many).ends_with(", …"));
  EXPECT_TRUE(suggest("something else", enough).ends_with(", word"));
}

TEST(Suggest, compares_no_endless_words) {
  const std::string endless(1 << 20, 'x');
  const std::array<std::string_view, 2> known = {endless, "rise"};

  EXPECT_EQ(suggest(endless.substr(1), std::array<std::string_view, 1>{"rise"}), "one of rise");
  EXPECT_EQ(suggest("rize", known), "did you mean 'rise'?");
}

TEST(Suggest, says_nothing_when_there_is_nothing_to_choose) {
  EXPECT_EQ(suggest("x", {}), "");
}

}  // namespace
}  // namespace holdfast
