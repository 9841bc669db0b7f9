#include "holdfast/base/socket_options.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>

#include "holdfast/base/socket.h"
#include "support/tcp.h"

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::accept_from;
using testing::address_of;
using testing::connect_to;
using testing::listen_any;

int option(const Fd& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket.get(), level, name, &value, &size), 0);
  return value;
}

// What every connection of this host begins with.
int kernels(int name) {
  return option(Fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)), IPPROTO_TCP, name);
}

const StreamOptions kAll{.user_timeout = milliseconds(1234),
                         .keepalive = {.idle = seconds(11), .interval = seconds(7), .count = 5}};

void expect_all(const Fd& socket) {
  EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT), 1234);
  EXPECT_EQ(option(socket, SOL_SOCKET, SO_KEEPALIVE), 1);
  EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPIDLE), 11);
  EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPINTVL), 7);
  EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_KEEPCNT), 5);
}

void expect_kernels(const Fd& socket) {
  EXPECT_EQ(option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT), 0);
  for (const int name : {TCP_KEEPIDLE, TCP_KEEPINTVL, TCP_KEEPCNT}) {
    EXPECT_EQ(option(socket, IPPROTO_TCP, name), kernels(name));
  }
}

// The outcome of a connect, once there is one.
int outcome(const Fd& socket) {
  pollfd event{socket.get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&event, 1, 10'000), 1);
  return finish_connect(socket.get());
}

TEST(SocketOptions, of_a_connect_are_as_asked) {
  const auto listener = listen_any();
  expect_all(start_connect(address_of(listener), {.source = {}, .stream = kAll}).value());
}

TEST(SocketOptions, that_nobody_asks_for_are_the_kernels_and_keepalive_is_on) {
  const auto listener = listen_any();
  const auto client = start_connect(address_of(listener)).value();
  expect_kernels(client);
  EXPECT_EQ(option(client, SOL_SOCKET, SO_KEEPALIVE), 1);
}

TEST(SocketOptions, may_turn_keepalive_off) {
  const auto listener = listen_any();
  StreamOptions options;
  options.keepalive.on = false;
  const auto client = start_connect(address_of(listener), {.source = {}, .stream = options});
  EXPECT_EQ(option(*client, SOL_SOCKET, SO_KEEPALIVE), 0);
}

TEST(SocketOptions, of_a_listening_socket_are_those_of_its_connections) {
  const auto listener = listen_any();
  apply(ListenOptions{.stream = kAll}, listener.get());
  const auto client = connect_to(address_of(listener));
  const auto server = accept_from(listener);
  tune_stream(server.get());
  expect_all(server);
}

TEST(SocketOptions, of_a_listening_socket_can_be_taken_back) {
  const auto listener = listen_any();
  apply(ListenOptions{.stream = kAll, .fastopen = 100}, listener.get());
  EXPECT_EQ(option(listener, IPPROTO_TCP, TCP_FASTOPEN), 100);
  ListenOptions none;
  none.stream.keepalive.on = false;
  apply(none, listener.get());
  EXPECT_EQ(option(listener, IPPROTO_TCP, TCP_FASTOPEN), 0);
  const auto client = connect_to(address_of(listener));
  const auto server = accept_from(listener);
  tune_stream(server.get());
  expect_kernels(server);
  EXPECT_EQ(option(server, SOL_SOCKET, SO_KEEPALIVE), 0);
}

SocketAddress host(const std::string& text) {
  return SocketAddress::from(Endpoint{.host = text, .path = {}}).value();
}

// scar 30: with a port that bind(2) chose, there are only as many connections as ports, whatever
// number of backends there is.
TEST(Source, leaves_the_choice_of_the_port_to_the_connect) {
  const auto listener = listen_any();
  const auto client =
      start_connect(address_of(listener), {.source = host("127.0.0.7"), .stream = {}}).value();
  EXPECT_EQ(option(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1);
  EXPECT_EQ(outcome(client), 0);
  EXPECT_EQ(SocketAddress::local(client.get())->endpoint().host, "127.0.0.7");
  EXPECT_NE(SocketAddress::local(client.get())->port(), 0);
  EXPECT_EQ(SocketAddress::peer(accept_from(listener).get()), SocketAddress::local(client.get()));
}

TEST(Source, leaves_the_choice_of_the_port_to_the_connect_over_ipv6) {
  const auto listener =
      listen_on(SocketAddress::from(Endpoint::parse("[::1]:0").value()).value(), false);
  if (!listener) {
    GTEST_SKIP() << "no IPv6 here";
  }
  const auto client =
      start_connect(address_of(*listener), {.source = host("::1"), .stream = {}}).value();
  EXPECT_EQ(option(client, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT), 1);
  EXPECT_EQ(outcome(client), 0);
}

TEST(Source, of_another_family_is_left_out) {
  const auto listener = listen_any();
  const auto client =
      start_connect(address_of(listener), {.source = host("::1"), .stream = {}}).value();
  EXPECT_EQ(outcome(client), 0);
}

TEST(Source, that_this_host_does_not_have_is_this_hosts_trouble) {
  const auto listener = listen_any();
  const auto nowhere = host("192.0.2.1");  // RFC 5737: nobody's
  const auto client = start_connect(address_of(listener), {.source = nowhere, .stream = {}});
  ASSERT_FALSE(client.has_value());
  EXPECT_TRUE(is_local_trouble(client.error().code));
  EXPECT_EQ(check_source(nowhere).error().message,
            "cannot connect from 192.0.2.1: cannot assign requested address");
  EXPECT_TRUE(check_source(host("127.0.0.7")).has_value());
}

}  // namespace
}  // namespace holdfast
