#include "holdfast/base/endpoint.h"

#include <gmock/gmock.h>

namespace holdfast {
namespace {

using ::testing::HasSubstr;

std::string error_of(std::string_view text) {
  const auto parsed = Endpoint::parse(text);
  return parsed ? "parsed as " + parsed->to_string() : parsed.error().message;
}

TEST(Endpoint, reads_an_ipv4_address) {
  const auto endpoint = Endpoint::parse("10.0.0.11:8080").value();
  EXPECT_EQ(endpoint.kind, Endpoint::Kind::inet);
  EXPECT_EQ(endpoint.host, "10.0.0.11");
  EXPECT_EQ(endpoint.port, 8080);
}

TEST(Endpoint, reads_an_ipv6_address_without_its_brackets) {
  const auto endpoint = Endpoint::parse("[fe80::1%eth0]:443").value();
  EXPECT_EQ(endpoint.kind, Endpoint::Kind::inet);
  EXPECT_EQ(endpoint.host, "fe80::1%eth0");
  EXPECT_EQ(endpoint.port, 443);
}

TEST(Endpoint, reads_a_name) {
  const auto endpoint = Endpoint::parse("db_1.internal-2.example:5432").value();
  EXPECT_EQ(endpoint.host, "db_1.internal-2.example");
  EXPECT_EQ(endpoint.port, 5432);
}

TEST(Endpoint, reads_a_unix_path_whatever_stands_in_it) {
  const auto endpoint = Endpoint::parse("unix:/run/a b:80/app.sock").value();
  EXPECT_EQ(endpoint.kind, Endpoint::Kind::unix_path);
  EXPECT_EQ(endpoint.path, "/run/a b:80/app.sock");
  EXPECT_EQ(endpoint.host, "");
}

TEST(Endpoint, takes_every_port_number) {
  EXPECT_EQ(Endpoint::parse("a:0")->port, 0);
  EXPECT_EQ(Endpoint::parse("a:65535")->port, 65535);
}

TEST(Endpoint, refuses_what_is_no_port) {
  for (const auto* text : {"a:", "a:65536", "a:-1", "a:+1", "a: 80", "a:80 ", "a:0x50", "a:http",
                           "a:99999999999999999999", "[::1]:"}) {
    EXPECT_THAT(error_of(text), HasSubstr("is not a number from 0 to 65535")) << text;
  }
}

TEST(Endpoint, says_what_to_write_when_host_or_port_is_missing) {
  for (const auto* text : {"", "localhost", ":80", "10.0.0.1"}) {
    EXPECT_EQ(error_of(text), "write host:port, [ipv6]:port or unix:/path") << text;
  }
}

TEST(Endpoint, asks_for_brackets_around_ipv6) {
  EXPECT_THAT(error_of("::1:8080"), HasSubstr("with brackets, as in '[::1]:8080'"));
  for (const auto* text : {"[::1]", "[::1", "[::1]8080", "[]"}) {
    EXPECT_THAT(error_of(text), HasSubstr("brackets and a port, as in '[::1]:8080'")) << text;
  }
}

TEST(Endpoint, takes_nothing_but_ipv6_in_brackets) {
  EXPECT_EQ(error_of("[10.0.0.1]:80"), "'10.0.0.1' in brackets is not an IPv6 address");
  EXPECT_EQ(error_of("[]:80"), "'' in brackets is not an IPv6 address");
}

TEST(Endpoint, refuses_hosts_that_no_name_can_be) {
  for (const auto* host : {"a b", "a/b", "a\nb", "tcp//a", "ä", "*", "a\x7f"}) {
    EXPECT_THAT(error_of(std::string(host) + ":80"),
                HasSubstr("is neither a host name nor an address"));
  }
  EXPECT_TRUE(Endpoint::parse(std::string(253, 'a') + ":80"));
  EXPECT_FALSE(Endpoint::parse(std::string(254, 'a') + ":80"));
}

TEST(Endpoint, wants_an_absolute_path_that_fits) {
  EXPECT_THAT(error_of("unix:"), HasSubstr("an absolute path"));
  EXPECT_THAT(error_of("unix:app.sock"), HasSubstr("an absolute path"));
  EXPECT_THAT(error_of("unix:/run/a\nb"), HasSubstr("control characters"));
  EXPECT_THAT(error_of(std::string_view("unix:/run/a\0b", 13)), HasSubstr("control characters"));
  const std::string longest = "unix:/" + std::string(106, 'x');
  EXPECT_TRUE(Endpoint::parse(longest));
  EXPECT_THAT(error_of(longest + "x"), HasSubstr("at most 107 bytes"));
}

TEST(Endpoint, writes_itself_as_it_was_read) {
  for (const auto* text : {"10.0.0.11:8080", "[::1]:80", "localhost:0", "unix:/run/app.sock"}) {
    const auto endpoint = Endpoint::parse(text).value();
    EXPECT_EQ(endpoint.to_string(), text);
    EXPECT_EQ(Endpoint::parse(endpoint.to_string()), endpoint);
  }
}

}  // namespace
}  // namespace holdfast
