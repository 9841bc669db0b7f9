#include "config/byte_size.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(ByteSize, is_a_number_and_a_unit) {
  EXPECT_EQ(parse_byte_size("0B").value(), 0U);
  EXPECT_EQ(parse_byte_size("512B").value(), 512U);
  EXPECT_EQ(parse_byte_size("16KiB").value(), 16U * 1024);
  EXPECT_EQ(parse_byte_size("2MiB").value(), 2U * 1024 * 1024);
}

TEST(ByteSize, without_one_of_them_is_refused) {
  EXPECT_EQ(parse_byte_size("16").error().message, "'16' needs a unit: B, KiB or MiB");
  EXPECT_EQ(parse_byte_size("16kb").error().message, "'16kb' needs a unit: B, KiB or MiB");
  EXPECT_EQ(parse_byte_size("KiB").error().message,
            "'KiB' is not a size; write one as in 512B, 16KiB, 1MiB");
  for (const auto* text : {"", "-1B", "1.5KiB"}) {
    EXPECT_FALSE(parse_byte_size(text)) << text;
  }
  for (const auto* text : {"99999999999999999999B", "18446744073709551615KiB"}) {
    EXPECT_EQ(parse_byte_size(text).error().message, "'" + std::string(text) + "' is out of range");
  }
}

TEST(ByteSize, is_shown_in_the_largest_unit_that_fits) {
  for (const auto* text : {"0B", "1B", "1023B", "1KiB", "1025B", "64KiB", "1MiB"}) {
    EXPECT_EQ(format_byte_size(parse_byte_size(text).value()), text);
  }
}

}  // namespace
}  // namespace holdfast
