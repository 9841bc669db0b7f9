#include "cli/http_response.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using State = HttpResponse::State;

constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: holdfast-instance\r\nContent-Length: 6\r\n\r\nweb-1\n";

TEST(HttpResponse, takes_a_response_in_one_piece) {
  HttpResponse response;

  ASSERT_EQ(response.feed(kResponse), State::complete);
  EXPECT_EQ(response.status(), 200);
  EXPECT_EQ(response.first_body_line(), "web-1");
}

TEST(HttpResponse, takes_a_response_byte_by_byte) {
  HttpResponse response;

  for (std::size_t i = 0; i + 1 < kResponse.size(); ++i) {
    ASSERT_EQ(response.feed(kResponse.substr(i, 1)), State::incomplete) << i;
  }
  ASSERT_EQ(response.feed(kResponse.substr(kResponse.size() - 1)), State::complete);
  EXPECT_EQ(response.first_body_line(), "web-1");
}

TEST(HttpResponse, is_complete_without_a_body_when_the_length_is_zero) {
  HttpResponse response;

  EXPECT_EQ(response.feed("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n"), State::complete);
  EXPECT_EQ(response.status(), 204);
  EXPECT_EQ(response.first_body_line(), "");
}

TEST(HttpResponse, keeps_only_the_beginning_of_a_long_body) {
  HttpResponse response;
  ASSERT_EQ(response.feed("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"), State::incomplete);

  ASSERT_EQ(response.feed(std::string(99999, 'a')), State::incomplete);
  ASSERT_EQ(response.feed("aafter the end"), State::complete);
  EXPECT_LT(response.first_body_line().size(), 1000U);
}

TEST(HttpResponse, refuses_what_is_no_response) {
  for (const std::string_view text : {
           "SSH-2.0-OpenSSH_9.2\r\n\r\n",
           "HTTP/1.1 abc\r\nContent-Length: 1\r\n\r\n",
           "HTTP/1.1 200 OK\r\n\r\n",
           "HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
       }) {
    HttpResponse response;
    EXPECT_EQ(response.feed(text), State::malformed) << text;
  }
}

TEST(HttpResponse, does_not_collect_a_header_without_end) {
  HttpResponse response;
  State state = State::incomplete;

  for (int i = 0; i < 100 && state == State::incomplete; ++i) {
    state = response.feed(std::string(100, 'a'));
  }
  EXPECT_EQ(state, State::malformed);
}

}  // namespace
}  // namespace holdfast::cli
