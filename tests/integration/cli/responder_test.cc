#include "cli/responder.h"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "integration/cli/responder_thread.h"

namespace holdfast::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

// A blocking client. Nothing here takes longer than its ten seconds unless it is broken.
class Client {
 public:
  explicit Client(const SocketAddress& address) : Client(address, Unconnected{}) { connect(); }

  // A socket and nothing more, until connect().
  struct Unconnected {};
  Client(const SocketAddress& address, Unconnected)
      : address_(address), socket_(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval limit{10, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  }

  void connect() { EXPECT_EQ(::connect(socket_.get(), address_.data(), address_.size()), 0); }
  Client& send(std::string_view text) {
    EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    return *this;
  }
  Client& half_close() {
    EXPECT_EQ(::shutdown(socket_.get(), SHUT_WR), 0);
    return *this;
  }
  std::string receive(std::size_t size) {
    std::string text(size, '\0');
    const auto received = ::recv(socket_.get(), text.data(), size, MSG_WAITALL);
    EXPECT_GE(received, 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(received, 0)));
    return text;
  }
  // All until the connection ends, in order: a reset is a failure.
  std::string receive_rest() {
    std::string text;
    for (auto piece = receive(65536); !piece.empty(); piece = receive(65536)) {
      text += piece;
    }
    return text;
  }

 private:
  SocketAddress address_;
  Fd socket_;
};

class ResponderTest : public testing::Test {
 protected:
  Client connect() { return Client(reservation_.address()); }
  std::string ask(std::string_view request) { return connect().send(request).receive_rest(); }

  PortReservation reservation_ = PortReservation::make().value();
  ResponderThread responder_{reservation_.address()};
};

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: here\r\n\r\n";
constexpr std::string_view kLastGet = "GET / HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n";

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nServer: holdfast-instance\r\nContent-Type: text/plain\r\n"
    "Content-Length: 6\r\n\r\nweb-1\n";

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST_F(ResponderTest, says_its_name) {
  const auto response = ask(kLastGet);

  EXPECT_THAT(response, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(response, HasSubstr("\r\nServer: holdfast-instance\r\n"));
  EXPECT_THAT(response, EndsWith("\r\n\r\nweb-1\n"));
}

TEST_F(ResponderTest, leaves_the_body_out_for_head) {
  const auto response = ask("HEAD /bytes/77 HTTP/1.0\r\n\r\n");

  EXPECT_THAT(response, HasSubstr("Content-Length: 77\r\n"));
  EXPECT_THAT(response, EndsWith("\r\n\r\n"));
}

TEST_F(ResponderTest, answers_on_after_the_first_request) {
  auto client = connect();

  EXPECT_EQ(client.send(kGet).receive(kAnswer.size()), kAnswer);
  EXPECT_EQ(client.send(kGet).receive(kAnswer.size()), kAnswer);
}

TEST_F(ResponderTest, answers_pipelined_requests_in_order) {
  const auto response = ask(std::string(kGet) + "GET /bytes/3 HTTP/1.1\r\n\r\n" +
                            std::string(kLastGet) + std::string(kGet));

  EXPECT_EQ(count(response, "HTTP/1.1 200 OK"), 3U) << "none after Connection: close";
  EXPECT_THAT(response, HasSubstr("\r\n\r\n012HTTP/1.1"));
}

TEST_F(ResponderTest, answers_a_client_that_has_closed_its_half) {
  EXPECT_EQ(count(connect().send(kGet).send(kGet).half_close().receive_rest(), "web-1"), 2U);
}

TEST_F(ResponderTest, streams_many_bytes_to_a_client_that_has_closed_its_half) {
  const auto response =
      connect().send("GET /bytes/20000000 HTTP/1.1\r\n\r\n").half_close().receive_rest();

  EXPECT_EQ(response.size() - response.find("\r\n\r\n") - 4, 20'000'000U);
}

TEST_F(ResponderTest, closes_when_the_client_leaves_in_the_middle_of_a_request) {
  EXPECT_EQ(connect().send("GET / HT").half_close().receive_rest(), "");
}

TEST_F(ResponderTest, refuses_more_than_a_gibibyte) {
  EXPECT_THAT(ask("GET /bytes/1073741825 HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(ask("GET /bytes/-1 HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(ResponderTest, refuses_garbage_a_long_header_and_other_methods) {
  EXPECT_THAT(ask("\x16\x03\x01\x02"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET / HTTP/1.1\r\nA: " + std::string(100'000, 'a')),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nbody"), StartsWith("HTTP/1.1 405 "));
}

TEST_F(ResponderTest, serves_others_while_one_client_reads_nothing) {
  auto lazy = connect();
  lazy.send("GET /bytes/100000000 HTTP/1.1\r\n\r\n");
  ASSERT_EQ(lazy.receive(1).size(), 1U);

  EXPECT_THAT(ask(kLastGet), EndsWith("web-1\n"));
}

TEST_F(ResponderTest, accepts_again_after_running_out_of_descriptors) {
  auto established = connect();
  EXPECT_EQ(established.send(kGet).receive(kAnswer.size()), kAnswer);
  Client waiting(reservation_.address(), Client::Unconnected{});
  rlimit usual{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &usual), 0);
  const rlimit exhausted{3, usual.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &exhausted), 0);

  waiting.connect();
  waiting.send(kLastGet);
  EXPECT_EQ(established.send(kGet).receive(kAnswer.size()), kAnswer) << "it goes on meanwhile";
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &usual), 0);

  EXPECT_THAT(waiting.receive_rest(), EndsWith("web-1\n"));
}

}  // namespace
}  // namespace holdfast::cli
