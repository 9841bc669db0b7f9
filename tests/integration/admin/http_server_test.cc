#include "holdfast/admin/http_server.h"

#include <gmock/gmock.h>
#include <spdlog/sinks/null_sink.h>

#include <array>

#include "holdfast/base/socket.h"
#include "support/tcp.h"
#include "support/test_state.h"

namespace holdfast::admin {
namespace {

using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  HttpServerTest() {
    state_.add_listener("web");
    state_.set_phase(state::Phase::serving);
  }

  void start(Duration timeout = 10s, unsigned max_connections = 64) {
    const auto any = SocketAddress::from(Endpoint::parse("127.0.0.1:0").value()).value();
    serve(listen_on(any, false).value(), timeout, max_connections);
  }

  void serve(Fd listener, Duration timeout = 10s, unsigned max_connections = 64) {
    address_ = testing::address_of(listener);
    server_ = HttpServer::start({.listener = std::move(listener),
                                 .name = "the test's",
                                 .answer =
                                     [this](auto method, auto path, auto body) {
                                       return route({.method = method, .path = path, .body = body},
                                                    subject_);
                                     },
                                 .timeout = timeout,
                                 .max_connections = max_connections},
                                log_)
                  .value();
  }

  [[nodiscard]] Fd connect() const { return testing::connect_to(address_); }

  // The whole answer, read until the server closes.
  [[nodiscard]] std::string exchange(const std::string& request) const {
    const auto client = connect();
    testing::send_all(client, request);
    return testing::receive_to_end(client).bytes;
  }
  [[nodiscard]] std::string ask(const std::string& method, const std::string& path) const {
    return exchange(method + " " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }

  testing::TestState state_;
  Log log_{std::make_shared<spdlog::sinks::null_sink_mt>()};
  std::mutex entries_;
  Subject subject_{
      .shared = state_.shared(), .version = "1.2.3", .entries = entries_, .operations = {}};
  SocketAddress address_;
  std::unique_ptr<HttpServer> server_;
};

constexpr const char* kOk = "HTTP/1.1 200 OK\r\n";

TEST_F(HttpServerTest, serves_metrics) {
  start();

  const auto answer = ask("GET", "/metrics");

  EXPECT_THAT(answer, StartsWith(kOk));
  EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  EXPECT_THAT(answer, HasSubstr("\nholdfast_build_info{version=\"1.2.3\"} 1\n"));
  const auto body = answer.substr(answer.find("\r\n\r\n") + 4);
  EXPECT_THAT(answer, HasSubstr("Content-Length: " + std::to_string(body.size()) + "\r\n"));
}

TEST_F(HttpServerTest, serves_what_is_true_now) {
  start();
  const std::string series = "\nholdfast_listener_connections_total{listener=\"web\"} ";
  EXPECT_THAT(ask("GET", "/metrics"), HasSubstr(series + "0\n"));

  state_.thread(0).listeners[0].connections.add(5);
  EXPECT_THAT(ask("GET", "/metrics"), HasSubstr(series + "5\n"));
}

TEST_F(HttpServerTest, serves_health_and_readiness) {
  start();
  EXPECT_THAT(ask("GET", "/healthz"), EndsWith("\r\n\r\nok\n"));
  EXPECT_THAT(ask("GET", "/readyz"), StartsWith(kOk));

  state_.set_phase(state::Phase::stopping);
  EXPECT_THAT(ask("GET", "/healthz"), StartsWith(kOk));
  EXPECT_THAT(ask("GET", "/readyz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, serves_a_path_whatever_its_query) {
  start();

  EXPECT_THAT(ask("GET", "/healthz?verbose=1"), StartsWith(kOk));
}

TEST_F(HttpServerTest, has_nothing_elsewhere) {
  start();

  EXPECT_THAT(ask("GET", "/"), StartsWith(kOk));
  EXPECT_THAT(ask("GET", "/nothing"), StartsWith("HTTP/1.1 404 "));
}

TEST_F(HttpServerTest, answers_a_head_without_a_body) {
  start();

  const auto answer = ask("HEAD", "/healthz");

  EXPECT_THAT(answer, StartsWith(kOk));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
  EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, allows_no_other_method) {
  start();

  const auto answer = ask("DELETE", "/metrics");

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(HttpServerTest, refuses_a_body_that_is_too_long_when_it_has_read_it) {
  start();

  const auto answer = exchange(
      "POST /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 100000"
      "\r\n\r\n" +
      std::string(100000, 'x'));

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, answers_whoever_sends_a_body_that_nobody_wants) {
  start();

  const auto answer = exchange(
      "POST /metrics HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 10000"
      "\r\n\r\n" +
      std::string(10000, 'x'));

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
}

TEST_F(HttpServerTest, answers_one_request_after_the_other_on_a_connection) {
  start();
  const auto client = connect();

  for (int i = 0; i < 3; ++i) {
    testing::send_all(client, "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    std::string answer;
    while (!answer.ends_with("ok\n")) {
      const auto more = testing::receive(client, 1);
      ASSERT_FALSE(more.empty()) << answer;
      answer += more;
    }
    EXPECT_THAT(answer, StartsWith(kOk));
  }
}

class Garbage : public HttpServerTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(Garbage, is_refused_and_harms_nobody) {
  start();

  const auto answer = exchange(GetParam());

  EXPECT_THAT(answer, StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(ask("GET", "/healthz"), StartsWith(kOk));
}

INSTANTIATE_TEST_SUITE_P(
    HttpServer, Garbage,
    ::testing::Values("GET /healthz HTTP/1.1\r\nno colon\r\n\r\n",              //
                      "GET /" + std::string(40000, 'a') + " HTTP/1.1\r\n\r\n",  //
                      "GET / HTTP/1.1\r\nX: " + std::string(40000, 'a') + "\r\n\r\n",
                      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"));

TEST_F(HttpServerTest, hangs_up_on_what_is_no_http) {
  start();

  for (const auto* request : {"garbage\r\n\r\n", "\x16\x03\x01\x02\r\n\r\n", "GET\r\n\r\n"}) {
    const auto client = connect();
    testing::send_all(client, request);
    const auto received = testing::receive_to_end(client);
    EXPECT_NE(received.ending, testing::Ending::timeout) << request;
    EXPECT_THAT(received.bytes, Not(HasSubstr("200 OK"))) << request;
  }
  EXPECT_THAT(ask("GET", "/healthz"), StartsWith(kOk));
}

TEST_F(HttpServerTest, outlives_bytes_that_are_no_text) {
  start();
  for (unsigned seed = 0; seed < 20; ++seed) {
    const auto client = connect();
    testing::send_all(client, testing::pattern(2000, seed) + "\r\n\r\n");
    testing::finish_sending(client);
    EXPECT_NE(testing::ending_of(client), testing::Ending::timeout);
  }

  EXPECT_THAT(ask("GET", "/healthz"), StartsWith(kOk));
}

TEST_F(HttpServerTest, serves_beside_clients_that_say_nothing_or_half_of_it) {
  start();
  std::vector<Fd> others;
  for (int i = 0; i < 50; ++i) {
    others.push_back(connect());
    if (i % 2 == 0) {
      testing::send_all(others.back(), "GET /metrics HTTP/1.1\r\nHo");
    }
  }

  EXPECT_THAT(ask("GET", "/metrics"), StartsWith(kOk));
  // And those are still there.
  testing::send_all(others[0], "st: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(testing::receive_to_end(others[0]).bytes, StartsWith(kOk));
}

// scar 44
TEST_F(HttpServerTest, serves_when_every_slot_is_held_by_half_a_request) {
  start(1h, 8);
  std::vector<Fd> others;
  for (int i = 0; i < 100; ++i) {
    others.push_back(connect());
    testing::send_all(others.back(), "G");
    EXPECT_THAT(ask("GET", "/healthz"), StartsWith(kOk));
  }

  EXPECT_EQ(testing::ending_of(others.front()), testing::Ending::fin);
}

// scar 44
TEST_F(HttpServerTest, drops_a_client_that_sends_nothing_more) {
  start(1s);
  const auto client = connect();
  testing::send_all(client, "GET /healthz HTTP/1.1\r\n");

  const auto received = testing::receive_to_end(client);

  EXPECT_NE(received.ending, testing::Ending::timeout);
  EXPECT_THAT(received.bytes, Not(HasSubstr("200 OK")));
}

TEST_F(HttpServerTest, leaves_no_descriptor_behind) {
  const auto before = testing::open_descriptors();
  start();
  {
    const auto idle = connect();
    EXPECT_THAT(ask("GET", "/healthz"), StartsWith(kOk));
    server_.reset();
  }

  EXPECT_EQ(testing::open_descriptors(), before);
}

TEST_F(HttpServerTest, listens_on_a_unix_socket_too) {
  const std::string path = "/tmp/holdfast-test-" + std::to_string(::getpid()) + ".sock";
  serve(listen_on(SocketAddress::from(Endpoint::parse("unix:" + path).value()).value(), false)
            .value());
  const auto client = start_connect(address_).value();
  testing::send_all(client, "GET /healthz HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");

  std::string answer;
  EXPECT_TRUE(testing::eventually([&] {
    std::array<char, 1000> bytes{};
    const auto got = ::recv(client.get(), bytes.data(), bytes.size(), 0);
    answer.append(bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0);
    return got == 0;
  }));
  ::unlink(path.c_str());

  EXPECT_THAT(answer, StartsWith(kOk));
}

}  // namespace
}  // namespace holdfast::admin
