#include "config/taken_addresses.h"

#include <gtest/gtest.h>

namespace holdfast {
namespace {

// The line where `second` finds itself taken after `first` in line 1; 0 when it doesn't.
int line_of_clash(const char* first, const char* second) {
  TakenAddresses taken;
  EXPECT_FALSE(taken.take(Endpoint::parse(first).value(), {1, 1}));
  return taken.take(Endpoint::parse(second).value(), {2, 1}).value_or(Mark{}).line;
}

TEST(TakenAddresses, lets_nobody_take_an_address_twice) {
  EXPECT_EQ(line_of_clash("127.0.0.1:80", "127.0.0.1:80"), 1);
  EXPECT_EQ(line_of_clash("unix:/run/a.sock", "unix:/run/a.sock"), 1);
  EXPECT_EQ(line_of_clash("[::1]:80", "[0:0::1]:80"), 1);
  EXPECT_EQ(line_of_clash("web.example.org:80", "web.example.org:80"), 1);
}

TEST(TakenAddresses, gives_all_of_a_port_to_who_takes_all_addresses) {
  EXPECT_EQ(line_of_clash("0.0.0.0:80", "127.0.0.1:80"), 1);
  EXPECT_EQ(line_of_clash("127.0.0.1:80", "0.0.0.0:80"), 1);
  EXPECT_EQ(line_of_clash("[::]:80", "[::1]:80"), 1);
  EXPECT_EQ(line_of_clash("[::1]:80", "[::]:80"), 1);
}

TEST(TakenAddresses, keeps_apart_what_is_different) {
  EXPECT_EQ(line_of_clash("127.0.0.1:80", "127.0.0.1:81"), 0);
  EXPECT_EQ(line_of_clash("127.0.0.1:80", "127.0.0.2:80"), 0);
  EXPECT_EQ(line_of_clash("0.0.0.0:80", "[::]:80"), 0);  // IPV6_V6ONLY
  EXPECT_EQ(line_of_clash("0.0.0.0:80", "127.0.0.1:81"), 0);
  EXPECT_EQ(line_of_clash("unix:/run/a.sock", "unix:/run/b.sock"), 0);
  EXPECT_EQ(line_of_clash("web.example.org:80", "0.0.0.0:80"), 0);
}

TEST(TakenAddresses, names_the_first_of_several) {
  TakenAddresses taken;
  EXPECT_FALSE(taken.take(Endpoint::parse("127.0.0.1:80").value(), {3, 1}));
  EXPECT_FALSE(taken.take(Endpoint::parse("127.0.0.2:80").value(), {4, 1}));

  EXPECT_EQ(taken.take(Endpoint::parse("0.0.0.0:80").value(), {5, 1})->line, 3);
}

}  // namespace
}  // namespace holdfast
