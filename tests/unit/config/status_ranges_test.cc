#include "config/status_ranges.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

using Ranges = std::vector<StatusRange>;

TEST(StatusRanges, are_a_list_of_codes_and_ranges_of_codes) {
  EXPECT_EQ(parse_status_ranges("200").value(), (Ranges{{200, 200}}));
  EXPECT_EQ(parse_status_ranges("200-399").value(), (Ranges{{200, 399}}));
  EXPECT_EQ(parse_status_ranges("200, 204,300 - 399").value(),
            (Ranges{{200, 200}, {204, 204}, {300, 399}}));
}

TEST(StatusRanges, that_are_none_are_refused_with_the_part_that_is_wrong) {
  EXPECT_EQ(parse_status_ranges("200,2xx").error().message,
            "'2xx' is not a status or a range of them, from 100 to 599; write as in 200, 200-399 "
            "or 200,204,300-399");
  EXPECT_EQ(parse_status_ranges("399-200").error().message,
            "'399-200' ends before it begins; write 200-399");
  for (const auto* text : {"", ",", "200,", "99", "600", "200-", "-200", "200-300-400", "+200"}) {
    EXPECT_FALSE(parse_status_ranges(text)) << text;
  }
}

TEST(StatusRanges, are_shown_as_they_are_written) {
  for (const auto* text : {"200", "200-399", "200,204,300-399"}) {
    EXPECT_EQ(format_status_ranges(parse_status_ranges(text).value()), text);
  }
}

}  // namespace
}  // namespace holdfast
