#include "cli/scrape.h"

#include <gmock/gmock.h>

#include "integration/cli/responder_thread.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

class HttpGetTest : public testing::Test {
 protected:
  std::string url(const std::string& path) {
    return "http://" + reservation_.address().to_string() + path;
  }
  PortReservation reservation_ = PortReservation::make().value();
};

TEST_F(HttpGetTest, brings_the_body) {
  const ResponderThread responder(reservation_.address());

  EXPECT_EQ(http_get(url("/"), 10s).value(), "web-1\n");
}

TEST_F(HttpGetTest, is_an_error_for_another_status_or_too_much) {
  const ResponderThread responder(reservation_.address());

  EXPECT_FALSE(http_get(url("/bytes/none"), 10s));
  EXPECT_FALSE(http_get(url("/bytes/100000000"), 10s));
}

TEST_F(HttpGetTest, is_an_error_when_nobody_listens) {
  EXPECT_FALSE(http_get(url("/"), 10s));
}

TEST_F(HttpGetTest, gives_up_when_nobody_answers) {
  const auto listener = listen_on(reservation_.address(), false);

  EXPECT_FALSE(http_get(url("/"), 20ms));
}

}  // namespace
}  // namespace holdfast::cli
