// Connections that are closed because their backend is to have none.

#include <gtest/gtest.h>

#include "support/test_balancer.h"

namespace holdfast::testing {
namespace {

using state::CloseCause;

class ClosingTest : public ::testing::Test {
 protected:
  ClosingTest() {
    for (int i = 0; i < 8; ++i) {
      const auto before = established();
      clients_.push_back(balancer_.connect());
      servers_.push_back(accept_from(i % 2 == 0 ? first_ : second_));
      EXPECT_TRUE(eventually([&] { return established() > before; }));
    }
  }

  [[nodiscard]] std::uint64_t established() const {
    const auto& backends = balancer_.counters().backends;
    return backends[0].connections.get() + backends[1].connections.get();
  }
  [[nodiscard]] std::uint64_t closed(std::size_t backend, CloseCause cause) const {
    return balancer_.counters().backends[backend].closed[static_cast<std::size_t>(cause)].get();
  }
  void send_to_and_fro(std::size_t place) {
    send_all(clients_[place], "ping");
    EXPECT_EQ(receive(servers_[place], 4), "ping");
    send_all(servers_[place], "pong");
    EXPECT_EQ(receive(clients_[place], 4), "pong");
  }

  Fd first_ = listen_any();
  Fd second_ = listen_any();
  TestBalancer balancer_{{.backends = {address_of(first_), address_of(second_)}}};
  std::vector<Fd> clients_;
  std::vector<Fd> servers_;
};

TEST_F(ClosingTest, of_a_backend_that_is_down_resets_its_connections_and_no_others) {
  balancer_.close_backend({.backend = 0, .cause = CloseCause::backend_down});
  for (std::size_t i = 0; i < clients_.size(); i += 2) {
    EXPECT_EQ(ending_of(clients_[i]), Ending::reset);
    EXPECT_EQ(ending_of(servers_[i]), Ending::reset);
  }
  EXPECT_EQ(closed(0, CloseCause::backend_down), 4U);
  EXPECT_TRUE(eventually([&] { return balancer_.active() == 4; }));
  for (std::size_t i = 1; i < clients_.size(); i += 2) {
    send_to_and_fro(i);
  }
}

TEST_F(ClosingTest, of_a_drained_backend_ends_idle_connections_in_order) {
  balancer_.close_backend({.backend = 1, .cause = CloseCause::drained});
  for (std::size_t i = 1; i < clients_.size(); i += 2) {
    EXPECT_EQ(ending_of(clients_[i]), Ending::fin);
    EXPECT_EQ(ending_of(servers_[i]), Ending::fin);
  }
  EXPECT_EQ(closed(1, CloseCause::drained), 4U);
}

// Half an answer is never taken for a whole one.
TEST_F(ClosingTest, of_a_drained_backend_resets_who_is_in_the_middle_of_something) {
  send_to_and_fro(0);
  balancer_.close_backend({.backend = 0, .cause = CloseCause::drained});
  EXPECT_EQ(ending_of(clients_[0]), Ending::reset);
  EXPECT_EQ(ending_of(clients_[2]), Ending::fin);
}

TEST_F(ClosingTest, takes_the_share_that_is_due_and_then_the_rest) {
  balancer_.close_backend({.backend = 0, .share = 0});
  balancer_.close_backend({.backend = 0, .share = 0.5, .seed = 7});
  balancer_.close_backend({.backend = 0, .share = 0.5, .seed = 7});
  send_to_and_fro(1);
  const auto at_half = closed(0, CloseCause::drained);
  EXPECT_LT(at_half, 4U);
  balancer_.close_backend({.backend = 0, .share = 1, .seed = 7});
  EXPECT_TRUE(eventually([&] { return closed(0, CloseCause::drained) == 4; }));
  EXPECT_TRUE(eventually([&] { return balancer_.active() == 4; }));
}

}  // namespace
}  // namespace holdfast::testing
