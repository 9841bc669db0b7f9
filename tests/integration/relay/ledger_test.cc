#include "relay/ledger.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support/tcp.h"

namespace holdfast::relay {
namespace {

using testing::eventually;

// A client that we accepted and a backend that we connected to, as a balancer has them.
class Ledger : public ::testing::Test {
 protected:
  // Takes so much out of a socket.
  static void consume(const Fd& socket, std::size_t bytes) {
    EXPECT_EQ(testing::receive(socket, bytes).size(), bytes);
  }

  Fd front_ = testing::listen_any();
  Fd back_ = testing::listen_any();
  Fd client_ = testing::connect_to(testing::address_of(front_));
  Fd from_client_ = testing::accept_from(front_);
  Fd to_backend_ = testing::connect_to(testing::address_of(back_));
  Fd backend_ = testing::accept_from(back_);
};

TEST_F(Ledger, is_even_before_and_after) {
  EXPECT_EQ(bytes_ahead(from_client_.get(), to_backend_.get(), 0, true), 0);
  EXPECT_EQ(bytes_ahead(to_backend_.get(), from_client_.get(), 0, false), 0);
  testing::send_all(client_, std::string(1000, 'x'));
  consume(from_client_, 1000);
  testing::send_all(to_backend_, std::string(1000, 'x'));
  EXPECT_EQ(bytes_ahead(from_client_.get(), to_backend_.get(), 0, true), 0);
}

TEST_F(Ledger, says_how_much_the_sink_has_that_is_in_the_source_too) {
  testing::send_all(client_, std::string(1000, 'x'));
  testing::send_all(to_backend_, std::string(600, 'x'));
  EXPECT_EQ(bytes_ahead(from_client_.get(), to_backend_.get(), 0, true), 600);
  ASSERT_TRUE(eventually([&] { return drop_bytes(from_client_.get(), 600); }));
  EXPECT_EQ(bytes_ahead(from_client_.get(), to_backend_.get(), 0, true), 0);

  testing::send_all(backend_, std::string(500, 'x'));
  testing::send_all(from_client_, std::string(200, 'x'));
  EXPECT_EQ(bytes_ahead(to_backend_.get(), from_client_.get(), 0, false), 200);
}

TEST_F(Ledger, says_how_much_is_in_neither_but_for_what_a_pipe_holds) {
  testing::send_all(client_, std::string(1000, 'x'));
  consume(from_client_, 700);
  EXPECT_EQ(bytes_ahead(from_client_.get(), to_backend_.get(), 0, true), -700);
  EXPECT_EQ(bytes_ahead(from_client_.get(), to_backend_.get(), 700, true), 0);
}

TEST_F(Ledger, does_not_count_a_fin_that_came) {
  testing::send_all(client_, std::string(10, 'x'));
  testing::finish_sending(client_);
  consume(from_client_, 10);
  char end = 0;
  ASSERT_EQ(::recv(from_client_.get(), &end, 1, 0), 0);
  testing::send_all(to_backend_, std::string(10, 'x'));
  EXPECT_EQ(bytes_ahead(from_client_.get(), to_backend_.get(), 0, true), 0);
}

TEST_F(Ledger, knows_nothing_of_a_socket_that_was_reset) {
  testing::reset(std::move(client_));
  ASSERT_TRUE(eventually([&] { return is_closed(from_client_.get()); }));
  EXPECT_FALSE(bytes_ahead(from_client_.get(), to_backend_.get(), 0, true).has_value());
  EXPECT_FALSE(is_closed(to_backend_.get()));
}

TEST_F(Ledger, knows_nothing_of_unix_sockets) {
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  const Fd one(pair[0]);
  const Fd other(pair[1]);
  EXPECT_FALSE(bytes_ahead(from_client_.get(), one.get(), 0, true).has_value());
  EXPECT_FALSE(is_closed(other.get()));
}

}  // namespace
}  // namespace holdfast::relay
