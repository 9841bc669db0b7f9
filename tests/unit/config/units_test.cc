#include "config/units.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Units, reads_durations_with_each_unit) {
  EXPECT_EQ(parse_duration("250ms").value(), milliseconds(250));
  EXPECT_EQ(parse_duration("2s").value(), seconds(2));
  EXPECT_EQ(parse_duration("5m").value(), minutes(5));
  EXPECT_EQ(parse_duration("1h").value(), hours(1));
  EXPECT_EQ(parse_duration("0s").value(), seconds(0));
  EXPECT_EQ(parse_duration("007s").value(), seconds(7));
}

struct Refusal {
  const char* text;
  const char* message;
};

class RefusedDuration : public ::testing::TestWithParam<Refusal> {};

TEST_P(RefusedDuration, says_what_is_wrong) {
  const auto duration = parse_duration(GetParam().text);

  ASSERT_FALSE(duration);
  EXPECT_EQ(duration.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Units, RefusedDuration,
    ::testing::Values(Refusal{"", "'' is not a duration; write one as in 250ms, 2s, 5m, 1h"},
                      Refusal{"soon",
                              "'soon' is not a duration; write one as in 250ms, 2s, 5m, 1h"},
                      Refusal{"s", "'s' is not a duration; write one as in 250ms, 2s, 5m, 1h"},
                      Refusal{" 5s", "' 5s' is not a duration; write one as in 250ms, 2s, 5m, 1h"},
                      Refusal{"+5s", "'+5s' is not a duration; write one as in 250ms, 2s, 5m, 1h"},
                      Refusal{"5", "'5' needs a unit: 5ms or 5s"},
                      Refusal{"5 s", "'5 s' needs a unit: ms, s, m or h"},
                      Refusal{"5S", "'5S' needs a unit: ms, s, m or h"},
                      Refusal{"2d", "'2d' needs a unit: ms, s, m or h"},
                      Refusal{"1h30m", "'1h30m' needs a unit: ms, s, m or h"},
                      Refusal{"1.5s",
                              "'1.5s' is not a whole number; write it in a smaller unit, as in "
                              "1500ms for 1.5 s"},
                      Refusal{"-1s", "'-1s' is out of range"},
                      Refusal{"9223372036854775807h", "'9223372036854775807h' is out of range"},
                      Refusal{"99999999999999999999s", "'99999999999999999999s' is out of range"}));

TEST(Units, writes_a_duration_in_its_largest_whole_unit) {
  EXPECT_EQ(format_duration(milliseconds(250)), "250ms");
  EXPECT_EQ(format_duration(milliseconds(1500)), "1500ms");
  EXPECT_EQ(format_duration(seconds(2)), "2s");
  EXPECT_EQ(format_duration(seconds(90)), "90s");
  EXPECT_EQ(format_duration(minutes(5)), "5m");
  EXPECT_EQ(format_duration(hours(24)), "24h");
  EXPECT_EQ(format_duration(milliseconds(0)), "0s");
}

TEST(Units, reads_what_it_writes) {
  for (const auto duration : {milliseconds(1), milliseconds(999), milliseconds(61'000),
                              milliseconds(3'600'000), milliseconds(86'400'001)}) {
    EXPECT_EQ(parse_duration(format_duration(duration)).value(), duration);
  }
}

}  // namespace
}  // namespace holdfast
