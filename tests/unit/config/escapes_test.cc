#include "config/escapes.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

TEST(Escapes, stand_for_bytes) {
  EXPECT_EQ(unescape("PING\\r\\n").value(), "PING\r\n");
  EXPECT_EQ(unescape("\\t\\0\\\\").value(), std::string("\t\0\\", 3));
  EXPECT_EQ(unescape("\\xff\\x00\\x4A").value(), std::string("\xff\0J", 3));
  EXPECT_EQ(unescape("plain, é").value(), "plain, é");
  EXPECT_EQ(unescape("").value(), "");
}

TEST(Escapes, that_are_none_are_named) {
  EXPECT_EQ(unescape("a\\q").error().message,
            "'\\q' is no escape; write \\r, \\n, \\t, \\0, \\\\ or \\x and two hexadecimal digits");
  for (const auto* text : {"\\", "\\x", "\\x4", "\\xg0", "\\x-1", "\\x+1", "\\x 1"}) {
    EXPECT_FALSE(unescape(text)) << text;
  }
}

TEST(Escapes, of_all_bytes_are_taken_back) {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) {
    bytes += static_cast<char>(byte);
  }
  const auto text = escape(bytes);
  EXPECT_EQ(unescape(text).value(), bytes);
  for (const char letter : text) {
    EXPECT_TRUE(letter >= 0x20 && letter < 0x7f);
  }
}

}  // namespace
}  // namespace holdfast
