// Finding a backend: whatever fails before the first byte is the balancer's business.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>

#include "support/faults.h"
#include "support/full_queue.h"
#include "support/test_balancer.h"

namespace holdfast::testing {
namespace {

TEST(Connecting, tries_the_next_backend_when_one_refuses) {
  const auto dead = reserve_closed_port();
  const auto alive = listen_any();
  TestBalancer balancer({.backends = {address_of(dead), address_of(alive)}});
  for (int i = 0; i < 4; ++i) {
    const auto client = balancer.connect();
    send_all(client, "hello");
    const auto server = accept_from(alive);
    EXPECT_EQ(receive(server, 5), "hello");
  }
  EXPECT_EQ(balancer.rejected(), 0U);
  EXPECT_GE(balancer.connect_failures(state::ConnectFailure::refused), 1U);
  EXPECT_EQ(balancer.counters().pools[0].failovers.get(),
            balancer.connect_failures(state::ConnectFailure::refused));
}

TEST(Connecting, never_tries_a_backend_twice_for_one_client) {
  const auto dead = reserve_closed_port();
  TestBalancer balancer({.backends = {address_of(dead)}, .attempts = 5});
  const auto client = balancer.connect();
  EXPECT_EQ(ending_of(client), Ending::reset);
  EXPECT_EQ(balancer.connect_failures(state::ConnectFailure::refused), 1U);
}

TEST(Connecting, stops_after_the_configured_attempts) {
  const auto one = reserve_closed_port();
  const auto two = reserve_closed_port();
  const auto three = reserve_closed_port();
  TestBalancer balancer(
      {.backends = {address_of(one), address_of(two), address_of(three)}, .attempts = 2});
  const auto client = balancer.connect();
  EXPECT_EQ(ending_of(client), Ending::reset);
  EXPECT_EQ(balancer.connect_failures(state::ConnectFailure::refused), 2U);
}

TEST(Connecting, resets_and_counts_a_client_when_no_backend_is_left) {
  const auto dead = reserve_closed_port();
  TestBalancer balancer({.backends = {address_of(dead)}});
  const auto client = balancer.connect();
  EXPECT_EQ(ending_of(client), Ending::reset);
  ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  EXPECT_EQ(balancer.rejected(), 1U);
  EXPECT_EQ(balancer.counters().pools[0].no_backend.get(), 1U);
  const auto log = balancer.stop_and_read_log();
  EXPECT_NE(log.find("connection rejected listener=front-0"), std::string::npos) << log;
  EXPECT_NE(log.find("cause=no_backend"), std::string::npos) << log;
}

// scar 39
TEST(Connecting, asks_nobody_and_sleeps_when_all_backends_are_down) {
  const auto backend = listen_any();
  TestBalancer balancer({.backends = {address_of(backend)}});
  balancer.set_health(0, state::Health::down);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(ending_of(balancer.connect()), Ending::reset);
  }
  EXPECT_EQ(balancer.counters().backends[0].connections.get(), 0U);
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(300)), 0.5);
}

// scar 33: a backend whose accept queue is full lets connects hang.
TEST(Connecting, moves_on_when_a_backend_does_not_answer_in_time) {
  const FullQueue silent;
  const auto alive = listen_any();
  TestBalancer balancer({.backends = {silent.address(), address_of(alive)},
                         .connect_timeout = std::chrono::milliseconds(300)});
  const auto before = open_descriptors();
  for (int i = 0; i < 2; ++i) {  // one of them meets the silent backend first
    const auto client = balancer.connect();
    send_all(client, "hello");
    const auto server = accept_from(alive);
    EXPECT_EQ(receive(server, 5), "hello");
  }
  EXPECT_EQ(balancer.connect_failures(state::ConnectFailure::timeout), 1U);
  ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  EXPECT_LE(open_descriptors(), before + 2);  // a pipe that the pool keeps
}

// scar 32: it accepts and resets at once; that is no refusal of the connect.
TEST(Connecting, passes_the_reset_of_a_backend_that_accepts_and_resets) {
  const auto backend = listen_any();
  TestBalancer balancer({.backends = {address_of(backend)}});
  const auto client = balancer.connect();
  reset(accept_from(backend));
  EXPECT_EQ(ending_of(client), Ending::reset);
  EXPECT_TRUE(eventually([&] { return balancer.active() == 0; }));
}

// scar 30: out of local ports says nothing about the backend.
TEST(Connecting, tells_local_trouble_from_a_failing_backend) {
  const FaultScope scope;
  const auto one = listen_any();
  const auto two = listen_any();
  TestBalancer balancer({.backends = {address_of(one), address_of(two)}});
  faults.connect.fail(1, EADDRNOTAVAIL);
  const auto client = balancer.connect();
  send_all(client, "hello");
  const auto server = accept_from(two);
  EXPECT_EQ(receive(server, 5), "hello");
  EXPECT_EQ(balancer.connect_failures(state::ConnectFailure::local), 1U);
  EXPECT_EQ(balancer.connect_failures(state::ConnectFailure::refused), 0U);
  EXPECT_EQ(balancer.shared().backends[0].current_health(), state::Health::unknown);
}

TEST(Connecting, keeps_the_bytes_a_client_sent_before_a_backend_was_found) {
  const auto dead = reserve_closed_port();
  const auto alive = listen_any();
  TestBalancer balancer({.backends = {address_of(dead), address_of(alive)}});
  const auto client = balancer.connect();
  const auto early = pattern(200'000);
  send_all(client, early);
  finish_sending(client);
  const auto server = accept_from(alive);
  const auto got = receive_to_end(server);
  EXPECT_TRUE(got.bytes == early);
  EXPECT_EQ(got.ending, Ending::fin);
}

}  // namespace
}  // namespace holdfast::testing
