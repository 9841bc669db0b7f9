#include "holdfast/base/socket_address.h"

#include <gtest/gtest.h>
#include <netdb.h>

#include <array>
#include <cstddef>
#include <cstring>

#include "support/tcp.h"

namespace holdfast {
namespace {

SocketAddress address(std::string_view text) {
  return SocketAddress::from(Endpoint::parse(text).value()).value();
}

TEST(SocketAddress, writes_itself_as_it_was_given) {
  for (const auto* text : {"127.0.0.1:80", "0.0.0.0:0", "[::1]:8080", "[::]:443",
                           "[2001:db8::1]:65535", "unix:/run/app.sock"}) {
    EXPECT_EQ(address(text).to_string(), text);
  }
}

TEST(SocketAddress, knows_its_family_and_port) {
  EXPECT_EQ(address("127.0.0.1:80").family(), AF_INET);
  EXPECT_EQ(address("127.0.0.1:80").port(), 80);
  EXPECT_EQ(address("[::1]:81").family(), AF_INET6);
  EXPECT_EQ(address("[::1]:81").port(), 81);
  EXPECT_TRUE(address("unix:/a").is_unix());
  EXPECT_EQ(address("unix:/a").port(), 0);
  EXPECT_EQ(SocketAddress().family(), AF_UNSPEC);
}

TEST(SocketAddress, keeps_the_scope_of_a_link_local_address) {
  const auto scoped = address("[fe80::1%lo]:80");
  EXPECT_EQ(scoped.to_string(), "[fe80::1%lo]:80");
  EXPECT_NE(scoped, address("[fe80::1]:80"));
}

TEST(SocketAddress, gives_a_name_back_as_unknown) {
  const auto named = SocketAddress::from(Endpoint::parse("localhost:80").value());
  ASSERT_FALSE(named.has_value());
  EXPECT_EQ(named.error().code, EAI_NONAME);
  EXPECT_EQ(named.error().message.rfind("'localhost' is not a numeric address", 0), 0U);
}

TEST(SocketAddress, holds_the_longest_path_to_its_last_byte) {
  const auto text = "unix:/" + std::string(106, 'x');
  EXPECT_EQ(address(text).to_string(), text);
}

TEST(SocketAddress, refuses_a_path_that_would_be_cut_off) {
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_path;
  endpoint.path = "/" + std::string(107, 'x');
  EXPECT_FALSE(SocketAddress::from(endpoint).has_value());
}

TEST(SocketAddress, changes_the_port_alone) {
  EXPECT_EQ(address("127.0.0.1:80").with_port(81), address("127.0.0.1:81"));
  EXPECT_EQ(address("[fe80::1%lo]:80").with_port(81), address("[fe80::1%lo]:81"));
  EXPECT_EQ(address("unix:/a").with_port(81), address("unix:/a"));
}

TEST(SocketAddress, equals_what_names_the_same_place_only) {
  EXPECT_EQ(address("127.0.0.1:80"), address("127.0.0.1:80"));
  EXPECT_NE(address("127.0.0.1:80"), address("127.0.0.1:81"));
  EXPECT_NE(address("127.0.0.1:80"), address("127.0.0.2:80"));
  EXPECT_NE(address("127.0.0.1:80"), address("[::ffff:127.0.0.1]:80"));
  EXPECT_NE(address("unix:/a"), address("unix:/ab"));
}

TEST(SocketAddress, reads_both_names_of_a_connection) {
  const auto listener = testing::listen_any();
  const auto client = testing::connect_to(testing::address_of(listener));
  const auto server = testing::accept_from(listener);
  EXPECT_EQ(SocketAddress::peer(client.get()), testing::address_of(listener));
  EXPECT_EQ(SocketAddress::peer(server.get()), SocketAddress::local(client.get()));
  EXPECT_EQ(SocketAddress::peer(client.get()), SocketAddress::local(server.get()));
}

TEST(SocketAddress, has_no_peer_before_a_connection_and_no_name_without_a_socket) {
  EXPECT_FALSE(SocketAddress::peer(testing::listen_any().get()).has_value());
  EXPECT_FALSE(SocketAddress::local(-1).has_value());
}

TEST(SocketAddress, calls_an_unnamed_unix_socket_by_an_empty_path) {
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()), 0);
  const Fd one(pair[0]);
  const Fd two(pair[1]);
  EXPECT_EQ(SocketAddress::peer(one.get())->to_string(), "unix:");
}

}  // namespace
}  // namespace holdfast
