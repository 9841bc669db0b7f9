// What a client has sent goes to another backend when the first is gone before its first byte.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "support/full_queue.h"
#include "support/test_balancer.h"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;

class Replaying : public ::testing::Test {
 protected:
  Replaying() { options_.replay_up_to = 16 * 1024; }

  void start() { balancer_.emplace(options_); }
  TestBalancer& balancer() { return *balancer_; }
  [[nodiscard]] std::uint64_t replays() const {
    return balancer_->counters().pools[0].replays.get();
  }

  // The connection that one of the two has got, and which of them.
  std::pair<Fd, std::uint16_t> accept_at_either() {
    EXPECT_TRUE(eventually([&] {
      return is_ready(servers_[0].get(), true, false) || is_ready(servers_[1].get(), true, false);
    }));
    const std::uint16_t which = is_ready(servers_[0].get(), true, false) ? 0 : 1;
    return {accept_from(servers_[which]), which};
  }

  // A client that sends so many pieces, each of which is with the server before the next.
  void ask_in_pieces(const Fd& client, std::size_t pieces, const Fd& server) {
    const int on = 1;
    EXPECT_EQ(::setsockopt(client.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), 0);
    for (std::size_t i = 0; i < pieces; ++i) {
      const std::string piece(1, static_cast<char>('a' + i % 26));
      send_all(client, piece);
      EXPECT_EQ(receive(server, 1), piece);
      asked_ += piece;
    }
  }

  std::array<Fd, 2> servers_{listen_any(), listen_any()};
  TestBalancer::Options options_{.backends = {address_of(servers_[0]), address_of(servers_[1])}};
  std::optional<TestBalancer> balancer_;
  std::string asked_;
};

TEST_F(Replaying, sends_the_same_bytes_to_another_backend) {
  start();
  const auto client = balancer().connect();
  const auto request = pattern(16 * 1024);
  send_all(client, request);
  auto [first, which] = accept_at_either();
  EXPECT_TRUE(receive(first, request.size()) == request);
  reset(std::move(first));
  const auto second = accept_from(servers_[1 - which]);
  EXPECT_TRUE(receive(second, request.size()) == request);
  send_all(second, "answer");
  EXPECT_EQ(receive(client, 6), "answer");
  EXPECT_EQ(replays(), 1U);
}

// A pipe has 16 slots, and each piece takes one.
TEST_F(Replaying, keeps_more_pieces_than_a_pipe_has_slots) {
  start();
  for (const std::size_t pieces : {17, 60}) {
    asked_.clear();
    const auto client = balancer().connect();
    auto [first, which] = accept_at_either();
    ask_in_pieces(client, pieces, first);
    reset(std::move(first));
    const auto second = accept_from(servers_[1 - which]);
    EXPECT_EQ(receive(second, pieces), asked_);
    send_all(second, "answer");
    EXPECT_EQ(receive(client, 6), "answer");
  }
  EXPECT_EQ(replays(), 2U);
}

TEST_F(Replaying, serves_a_client_of_too_many_pieces_without_it) {
  start();
  const auto client = balancer().connect();
  auto [first, which] = accept_at_either();
  ask_in_pieces(client, 100, first);
  send_all(first, "answer");
  EXPECT_EQ(receive(client, 6), "answer");

  const auto other = balancer().connect();
  auto [second, where] = accept_at_either();
  ask_in_pieces(other, 100, second);
  reset(std::move(second));
  EXPECT_EQ(ending_of(other), Ending::reset);
  EXPECT_EQ(replays(), 0U);
}

TEST_F(Replaying, leaves_no_pipe_behind_however_it_ends) {
  start();
  const auto round = [&](bool answered) {
    const auto client = balancer().connect();
    auto [first, which] = accept_at_either();
    ask_in_pieces(client, 30, first);
    if (answered) {
      send_all(first, "answer");
      EXPECT_EQ(receive(client, 6), "answer");
      return;
    }
    reset(std::move(first));
    const auto second = accept_from(servers_[1 - which]);
    EXPECT_EQ(receive(second, 30).size(), 30U);
  };
  const auto all_over = [&] { return balancer().active() == 0; };
  round(true);
  round(false);
  ASSERT_TRUE(eventually(all_over));
  const auto before = open_descriptors();
  for (int i = 0; i < 20; ++i) {
    round(i % 2 == 0);
  }
  ASSERT_TRUE(eventually(all_over));
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(Replaying, goes_back_to_a_backend_that_only_lost_a_race) {
  FullQueue slow;
  options_.backends = {slow.address(), address_of(servers_[1])};
  options_.hedge_after = 20ms;
  options_.connect_timeout = 5min;
  options_.connect_total = 5min;
  start();
  const auto client = balancer().connect();
  send_all(client, "hello");
  auto quick = accept_from(servers_[1]);
  EXPECT_EQ(receive(quick, 5), "hello");
  ASSERT_EQ(balancer().counters().pools[0].hedges_won.get(), 1U);
  reset(std::move(quick));
  const auto server = slow.serve();
  EXPECT_EQ(receive(server, 5), "hello");
  send_all(server, "there");
  EXPECT_EQ(receive(client, 5), "there");
  EXPECT_EQ(replays(), 1U);
}

TEST_F(Replaying, asks_no_backend_again_that_failed_the_client) {
  options_.attempts = 8;
  start();
  const auto client = balancer().connect();
  send_all(client, "hello");
  for (int i = 0; i < 2; ++i) {
    auto [server, which] = accept_at_either();
    EXPECT_EQ(receive(server, 5), "hello");
    reset(std::move(server));
  }
  EXPECT_EQ(ending_of(client), Ending::reset);
  EXPECT_EQ(replays(), 2U);
  EXPECT_EQ(balancer().rejected(), 1U);
}

TEST_F(Replaying, spares_the_client_the_reset_of_connections_to_a_backend_that_went_down) {
  start();
  const auto client = balancer().connect();
  send_all(client, "hello");
  auto [first, which] = accept_at_either();
  EXPECT_EQ(receive(first, 5), "hello");
  balancer().set_health(which, state::Health::down);
  balancer().close_backend({.backend = which, .cause = state::CloseCause::backend_down});
  const auto second = accept_from(servers_[1 - which]);
  EXPECT_EQ(receive(second, 5), "hello");
  EXPECT_EQ(ending_of(first), Ending::reset) << "it needn't go on with it";
  send_all(second, "there");
  EXPECT_EQ(receive(client, 5), "there");
  EXPECT_EQ(balancer().closed(state::CloseCause::backend_down), 1U);
}

// It has said all it wants to say, and waits for an answer.
TEST_F(Replaying, lets_a_client_wait_for_a_place_that_has_half_closed) {
  options_.places = 1;
  options_.queue = 10;
  start();
  const auto client = balancer().connect();
  send_all(client, "hello");
  finish_sending(client);
  auto [first, which] = accept_at_either();
  EXPECT_EQ(receive_to_end(first).bytes, "hello");
  auto occupant = std::optional(balancer().connect());
  const auto occupied = accept_from(servers_[1 - which]);
  reset(std::move(first));
  ASSERT_TRUE(eventually([&] { return balancer().shared().pools[0].waiting.get() == 1; }));
  occupant.reset();
  EXPECT_EQ(ending_of(occupied), Ending::fin);
  finish_sending(occupied);
  const auto second = accept_from(servers_[1 - which]);
  const auto heard = receive_to_end(second);
  EXPECT_EQ(heard.bytes, "hello");
  EXPECT_EQ(heard.ending, Ending::fin);
  send_all(second, "there");
  EXPECT_EQ(receive(client, 5), "there");
}

}  // namespace
}  // namespace holdfast::testing
