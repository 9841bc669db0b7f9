// Clients that leave while a backend is still being connected to.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include "support/full_queue.h"
#include "support/test_balancer.h"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using state::Rejection;

TEST(Leaving, ends_the_connecting_when_the_client_is_reset) {
  const FullQueue silent;
  TestBalancer balancer({.backends = {silent.address()}, .connect_timeout = 5min});
  auto client = balancer.connect();
  ASSERT_TRUE(eventually([&] { return balancer.shared().backends[0].active.get() == 1; }));
  reset(std::move(client));
  ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  EXPECT_EQ(balancer.rejected(Rejection::client_left), 1U);
  EXPECT_EQ(balancer.shared().backends[0].active.get(), 0U);
  EXPECT_EQ(balancer.connect_failures(state::ConnectFailure::timeout), 0U);
}

// scar 33
TEST(Leaving, closes_both_connects_that_race) {
  const FullQueue silent;
  const FullQueue as_silent;
  TestBalancer balancer({.backends = {silent.address(), as_silent.address()},
                         .connect_timeout = 5min,
                         .connect_total = 5min,
                         .hedge_after = 1ms});
  const auto before = open_descriptors();
  auto client = balancer.connect();
  send_all(client, "what nobody reads");
  ASSERT_TRUE(eventually([&] { return balancer.shared().backends[1].active.get() == 1; }));
  reset(std::move(client));
  ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  EXPECT_EQ(balancer.shared().backends[0].active.get(), 0U);
  EXPECT_EQ(balancer.shared().backends[1].active.get(), 0U);
  EXPECT_TRUE(eventually([&] { return open_descriptors() == before; }));
  EXPECT_EQ(balancer.counters().pools[0].hedges_lost.get(), 1U) << "it hasn't won";
}

TEST(Leaving, is_noticed_after_a_fin_as_well) {
  const FullQueue silent;
  TestBalancer balancer({.backends = {silent.address()}, .connect_timeout = 5min});
  auto client = balancer.connect();
  finish_sending(client);
  ASSERT_TRUE(eventually([&] { return balancer.shared().backends[0].active.get() == 1; }));
  reset(std::move(client));
  ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  EXPECT_EQ(balancer.rejected(Rejection::client_left), 1U);
}

TEST(Leaving, is_not_what_a_client_does_that_half_closes) {
  FullQueue slow;
  TestBalancer balancer({.backends = {slow.address()}, .connect_timeout = 5min});
  const auto client = balancer.connect();
  send_all(client, "hello");
  finish_sending(client);
  ASSERT_TRUE(eventually([&] { return balancer.shared().backends[0].active.get() == 1; }));
  EXPECT_LT(cpu_share_during(100ms), 0.5) << "nor does it wake anybody";
  const auto server = slow.serve();
  const auto heard = receive_to_end(server);
  EXPECT_EQ(heard.bytes, "hello");
  EXPECT_EQ(heard.ending, Ending::fin);
  send_all(server, "there");
  EXPECT_EQ(receive(client, 5), "there");
  EXPECT_EQ(balancer.rejected(Rejection::client_left), 0U);
}

TEST(Leaving, is_not_to_say_something_urgent_nor_does_that_keep_anybody_awake) {
  FullQueue slow;
  TestBalancer balancer({.backends = {slow.address()}, .connect_timeout = 5min});
  const auto client = balancer.connect();
  ASSERT_EQ(::send(client.get(), "!", 1, MSG_OOB), 1);
  send_all(client, "hello");
  ASSERT_TRUE(eventually([&] { return balancer.shared().backends[0].active.get() == 1; }));
  EXPECT_LT(cpu_share_during(300ms), 0.5);
  const auto server = slow.serve();
  EXPECT_EQ(receive(server, 6), "!hello");
}

TEST(Leaving, is_noticed_after_something_urgent_as_well) {
  const FullQueue silent;
  TestBalancer balancer({.backends = {silent.address()}, .connect_timeout = 5min});
  auto client = balancer.connect();
  ASSERT_EQ(::send(client.get(), "!", 1, MSG_OOB), 1);
  ASSERT_TRUE(eventually([&] { return balancer.shared().backends[0].active.get() == 1; }));
  EXPECT_LT(cpu_share_during(100ms), 0.5) << "long enough that it has been seen";
  reset(std::move(client));
  ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  EXPECT_EQ(balancer.rejected(Rejection::client_left), 1U);
}

}  // namespace
}  // namespace holdfast::testing
