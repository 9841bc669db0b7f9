#include "health/http_status.h"

#include <gtest/gtest.h>

namespace holdfast::health {
namespace {

using State = HttpStatus::State;

TEST(HttpStatus, is_read_as_soon_as_it_is_there) {
  const std::string line = "HTTP/1.1 204 No Content\r\n";
  for (std::size_t size = 0; size <= line.size(); ++size) {
    const auto parsed = parse_http_status(line.substr(0, size));
    if (size < 13) {
      EXPECT_EQ(parsed.state, State::incomplete) << size;
    } else {
      EXPECT_EQ(parsed, (HttpStatus{State::complete, 204})) << size;
    }
  }
}

TEST(HttpStatus, may_have_no_reason_and_end_as_lines_end) {
  for (const auto* line : {"HTTP/1.0 503\r\n", "HTTP/1.1 503\n", "HTTP/1.1 503 \r\n"}) {
    EXPECT_EQ(parse_http_status(line), (HttpStatus{State::complete, 503})) << line;
  }
}

TEST(HttpStatus, is_refused_at_the_first_byte_that_cannot_be) {
  for (const auto* received :
       {"S", "SSH-2.0-OpenSSH", "http/1.1 200 ", "HTTP/2 200 OK", "HTTP/1.x 200 ", "HTTP/1.1  200",
        "HTTP/1.1 20 ", "HTTP/1.1 2000", "HTTP/1.1 -20 ", "HTTP/1.1 099 ", "HTTP/1.1 600 ",
        "\r\nHTTP/1.1 200 "}) {
    EXPECT_EQ(parse_http_status(received).state, State::malformed) << received;
  }
}

TEST(HttpStatus, takes_every_status_there_is) {
  EXPECT_EQ(parse_http_status("HTTP/1.1 100 Continue").status, 100U);
  EXPECT_EQ(parse_http_status("HTTP/1.1 599 ").status, 599U);
}

}  // namespace
}  // namespace holdfast::health
