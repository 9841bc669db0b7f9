#include "holdfast/base/socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <netinet/tcp.h>
#include <poll.h>

#include <cerrno>
#include <filesystem>
#include <fstream>

#include "holdfast/base/temporary_directory.h"
#include "support/full_queue.h"
#include "support/tcp.h"

namespace holdfast {
namespace {

using testing::accept_from;
using testing::address_of;
using testing::connect_to;
using ::testing::HasSubstr;
using testing::listen_any;
using testing::reserve_closed_port;

SocketAddress address(const std::string& text) {
  return SocketAddress::from(Endpoint::parse(text).value()).value();
}

int option(const Fd& socket, int level, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  EXPECT_EQ(::getsockopt(socket.get(), level, name, &value, &size), 0);
  return value;
}

// The outcome of a connect, once there is one.
int outcome(const Fd& socket) {
  pollfd event{socket.get(), POLLOUT, 0};
  EXPECT_EQ(::poll(&event, 1, 10'000), 1);
  return finish_connect(socket.get());
}

TEST(ListenOn, takes_connections) {
  const auto listener = listen_on(address("127.0.0.1:0"), false).value();
  const auto client = start_connect(address_of(listener)).value();
  EXPECT_EQ(outcome(client), 0);
  EXPECT_TRUE(accept_from(listener).is_open());
}

TEST(ListenOn, makes_sockets_that_neither_block_nor_outlive_an_exec) {
  const auto listener = listen_on(address("127.0.0.1:0"), true).value();
  const auto client = start_connect(address_of(listener)).value();
  for (const auto* socket : {&listener, &client}) {
    EXPECT_NE(::fcntl(socket->get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(socket->get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST(ListenOn, says_that_the_address_is_taken) {
  const auto taken = listen_any();
  const auto second = listen_on(address_of(taken), false);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_EQ(second.error().message,
            "cannot listen on " + address_of(taken).to_string() + ": address already in use");
}

TEST(ListenOn, says_that_the_address_is_not_this_hosts) {
  const auto elsewhere = listen_on(address("192.0.2.1:0"), false);  // TEST-NET-1, RFC 5737
  ASSERT_FALSE(elsewhere.has_value());
  EXPECT_EQ(elsewhere.error().code, EADDRNOTAVAIL);
}

TEST(ListenOn, shares_a_port_only_when_both_ask_for_it) {
  const auto first = listen_on(address("127.0.0.1:0"), true).value();
  EXPECT_TRUE(listen_on(address_of(first), true).has_value());
  EXPECT_FALSE(listen_on(address_of(first), false).has_value());
}

TEST(ListenOn, leaves_ipv4_alone_when_it_listens_on_ipv6) {
  const auto both_listen = [] {
    const auto v6 = listen_on(address("[::]:0"), false).value();
    return listen_on(address("0.0.0.0:0").with_port(address_of(v6).port()), false).has_value();
  };
  // The port that IPv6 had free may be in use over IPv4 by anybody, but not twenty in a row.
  bool alone = false;
  for (int i = 0; i < 20 && !alone; ++i) {
    alone = both_listen();
  }
  EXPECT_TRUE(alone);
}

TEST(ListenOnUnix, takes_connections) {
  const auto directory = TemporaryDirectory::make().value();
  const auto path = address("unix:" + directory.file("app.sock"));
  const auto listener = listen_on(path, false).value();
  const auto client = start_connect(path).value();
  EXPECT_EQ(outcome(client), 0);
  EXPECT_TRUE(accept_from(listener).is_open());
}

// scar 42
TEST(ListenOnUnix, replaces_the_file_that_a_dead_listener_left_behind) {
  const auto directory = TemporaryDirectory::make().value();
  const auto path = address("unix:" + directory.file("app.sock"));
  static_cast<void>(listen_on(path, false).value());
  const auto listener = listen_on(path, false);
  ASSERT_TRUE(listener.has_value()) << listener.error().message;
  EXPECT_EQ(outcome(start_connect(path).value()), 0);
}

// scar 42
TEST(ListenOnUnix, leaves_a_living_listener_its_file) {
  const auto directory = TemporaryDirectory::make().value();
  const auto path = address("unix:" + directory.file("app.sock"));
  const auto living = listen_on(path, false).value();
  const auto second = listen_on(path, false);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, EADDRINUSE);
  EXPECT_THAT(second.error().message, HasSubstr("somebody listens on " + directory.file("")));
  EXPECT_EQ(outcome(start_connect(path).value()), 0);
}

TEST(ListenOnUnix, leaves_a_file_that_is_no_socket) {
  const auto directory = TemporaryDirectory::make().value();
  const auto file = directory.file("precious");
  std::ofstream(file) << "data";
  const auto listener = listen_on(address("unix:" + file), false);
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().message, file + " exists and is not a socket: address already in use");
  EXPECT_EQ(std::filesystem::file_size(file), 4U);
}

TEST(ListenOnUnix, says_why_there_can_be_no_file) {
  const auto directory = TemporaryDirectory::make().value();
  const auto listener = listen_on(address("unix:" + directory.file("missing/app.sock")), false);
  ASSERT_FALSE(listener.has_value());
  EXPECT_EQ(listener.error().code, ENOENT);
}

TEST(FinishConnect, gives_the_reason_of_a_refusal_and_gives_it_once) {
  const auto dead = reserve_closed_port();
  const auto client = start_connect(address_of(dead)).value();
  EXPECT_EQ(outcome(client), ECONNREFUSED);
  EXPECT_NE(finish_connect(client.get()), 0) << "the kernel has forgotten, but it isn't connected";
}

TEST(FinishConnect, does_not_take_a_connect_under_way_for_done) {
  const testing::FullQueue silent;
  const auto client = start_connect(silent.address()).value();
  EXPECT_EQ(finish_connect(client.get()), ENOTCONN);
}

// scar 31: on an ephemeral port, the kernel can pick the dead backend's own as the source.
TEST(FinishConnect, takes_a_connection_to_itself_for_a_refusal) {
  const auto socket = reserve_closed_port();
  const auto self = address_of(socket);
  ASSERT_EQ(::connect(socket.get(), self.data(), self.size()), 0) << "simultaneous open";
  ASSERT_EQ(SocketAddress::peer(socket.get()), SocketAddress::local(socket.get()));
  EXPECT_EQ(finish_connect(socket.get()), ECONNREFUSED);
}

// Both ends of a Unix connection may be unnamed, which doesn't make them the same.
TEST(FinishConnect, takes_unnamed_unix_sockets_for_connected) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  const Fd one(pair[0]);
  const Fd two(pair[1]);
  EXPECT_EQ(finish_connect(one.get()), 0);
}

TEST(FinishConnect, passes_on_that_there_is_no_socket) {
  EXPECT_EQ(finish_connect(-1), EBADF);
}

TEST(StartConnect, tells_at_once_that_there_is_no_unix_socket) {
  const auto directory = TemporaryDirectory::make().value();
  const auto connect = start_connect(address("unix:" + directory.file("nobody.sock")));
  ASSERT_FALSE(connect.has_value());
  EXPECT_EQ(connect.error().code, ENOENT);
}

TEST(StartConnect, sends_small_writes_at_once_and_finds_dead_peers) {
  const auto listener = listen_any();
  const auto client = start_connect(address_of(listener)).value();
  EXPECT_EQ(option(client, IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(option(client, SOL_SOCKET, SO_KEEPALIVE), 1);
}

// scar 30
TEST(LocalTrouble, is_what_says_nothing_about_the_other_end) {
  for (const int code : {EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM}) {
    EXPECT_TRUE(is_local_trouble(code)) << error_text(code);
  }
  for (const int code : {0, ECONNREFUSED, ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH}) {
    EXPECT_FALSE(is_local_trouble(code)) << error_text(code);
  }
}

TEST(ResetOnClose, sends_a_reset_instead_of_an_end) {
  const auto listener = listen_any();
  for (const bool reset : {true, false}) {
    const auto client = connect_to(address_of(listener));
    {
      const auto server = accept_from(listener);
      if (reset) {
        reset_on_close(server.get());
      }
    }
    EXPECT_EQ(testing::ending_of(client), reset ? testing::Ending::reset : testing::Ending::fin);
  }
}

TEST(TuneStream, leaves_an_urgent_byte_in_its_place) {
  const auto listener = listen_any();
  const auto client = connect_to(address_of(listener));
  const auto server = accept_from(listener);
  tune_stream(server.get());
  testing::send_all(client, "be");
  ASSERT_EQ(::send(client.get(), "!", 1, MSG_OOB), 1);
  testing::send_all(client, "fore");
  EXPECT_EQ(testing::receive(server, 7), "be!fore");
}

TEST(IsReady, tells_what_it_is_asked_for_and_nothing_else) {
  const auto listener = listen_any();
  auto client = connect_to(address_of(listener));
  const auto server = accept_from(listener);
  EXPECT_FALSE(is_ready(server.get(), true, false));
  EXPECT_TRUE(is_ready(server.get(), true, true));
  testing::send_all(client, "x");
  EXPECT_TRUE(testing::eventually([&] { return is_ready(server.get(), true, false); }));
  testing::reset(std::move(client));
  EXPECT_TRUE(is_ready(server.get(), true, false));
  EXPECT_FALSE(is_ready(server.get(), false, false)) << "a hang-up that nobody asked for";
}

TEST(UnacknowledgedBytes, counts_what_a_slow_reader_has_not_taken) {
  const auto listener = listen_any();
  const auto client = connect_to(address_of(listener));
  const auto server = accept_from(listener);
  EXPECT_EQ(unacknowledged_bytes(server.get()), 0);
  const auto sent = testing::send_without_waiting(server, 64 * 1024 * 1024);
  ASSERT_GT(unacknowledged_bytes(server.get()), 0);
  static_cast<void>(testing::receive(client, sent));
  EXPECT_TRUE(testing::eventually([&] { return unacknowledged_bytes(server.get()) == 0; }));
}

TEST(UnacknowledgedBytes, are_none_once_the_peer_has_reset) {
  const auto listener = listen_any();
  auto client = connect_to(address_of(listener));
  const auto server = accept_from(listener);
  static_cast<void>(testing::send_without_waiting(server, 64 * 1024 * 1024));
  ASSERT_GT(unacknowledged_bytes(server.get()), 0);
  testing::reset(std::move(client));
  EXPECT_TRUE(testing::eventually([&] { return unacknowledged_bytes(server.get()) == 0; }));
}

}  // namespace
}  // namespace holdfast
