#include "cli/http_request.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using State = ParsedRequest::State;

TEST(HttpRequest, reads_method_target_and_size) {
  const std::string_view text = "GET /bytes/7 HTTP/1.1\r\nHost: here\r\n\r\n";

  const auto parsed = parse_request(std::string(text) + "GET / HTTP/1.1\r\n");

  ASSERT_EQ(parsed.state, State::complete);
  EXPECT_EQ(parsed.request.method, HttpRequest::Method::get);
  EXPECT_EQ(parsed.request.target, "/bytes/7");
  EXPECT_EQ(parsed.request.size, text.size());
}

TEST(HttpRequest, is_incomplete_at_every_byte_before_the_last) {
  const std::string_view text = "HEAD / HTTP/1.0\r\nHost: here\r\n\r\n";

  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_EQ(parse_request(text.substr(0, size)).state, State::incomplete) << size;
  }
  EXPECT_EQ(parse_request(text).state, State::complete);
}

TEST(HttpRequest, keeps_the_connection_as_version_and_client_say) {
  const auto keeps = [](std::string_view text) { return parse_request(text).request.keep_alive; };

  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nconnection: Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nConnection: te, close\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(HttpRequest, accepts_bare_line_feeds_and_leading_blank_lines) {
  const auto parsed = parse_request("\r\n\nGET / HTTP/1.1\nHost: here\n\n");

  ASSERT_EQ(parsed.state, State::complete);
  EXPECT_EQ(parsed.request.size, 30U);
}

TEST(HttpRequest, calls_garbage_malformed_before_any_line_end) {
  EXPECT_EQ(parse_request("\x16\x03\x01").state, State::malformed);
  EXPECT_EQ(parse_request(" GET / HTTP/1.1").state, State::malformed);
}

TEST(HttpRequest, calls_broken_syntax_malformed) {
  for (const std::string_view text : {
           "GET /\r\n\r\n",
           "GET  HTTP/1.1\r\n\r\n",
           "GET / HTTP/2.0\r\n\r\n",
           "GET /a b HTTP/1.1\r\n\r\n",
           "GET / HTTP/1.1\r\nno colon\r\n\r\n",
           "GET / HTTP/1.1\r\nHost : here\r\n\r\n",
           "GET / HTTP/1.1\r\nA: 1\r\n folded\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
           "GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
       }) {
    EXPECT_EQ(parse_request(text).state, State::malformed) << text;
  }
}

TEST(HttpRequest, sees_an_announced_body) {
  const auto has_body = [](std::string_view text) { return parse_request(text).request.has_body; };

  EXPECT_FALSE(has_body("GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
  EXPECT_TRUE(has_body("GET / HTTP/1.1\r\nContent-Length: 1\r\n\r\n"));
  EXPECT_TRUE(has_body("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST(HttpRequest, limits_the_header) {
  const std::string start = "GET / HTTP/1.1\r\nA: ";
  const auto padded = [&](std::size_t size) {
    return start + std::string(size - start.size() - 4, 'a') + "\r\n\r\n";
  };

  EXPECT_EQ(parse_request(padded(kMaxRequestHeader)).state, State::complete);
  EXPECT_EQ(parse_request(padded(kMaxRequestHeader + 1)).state, State::too_large);
  EXPECT_EQ(parse_request(start + std::string(kMaxRequestHeader, 'a')).state, State::too_large);
  EXPECT_EQ(parse_request(std::string(kMaxRequestHeader, '\n')).state, State::too_large);
}

}  // namespace
}  // namespace holdfast::cli
