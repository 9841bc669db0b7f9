// How connections end: FIN as FIN, RST as RST, nothing lost before either, and no end missed.

#include <gtest/gtest.h>

#include <future>

#include "support/test_balancer.h"

namespace holdfast::testing {
namespace {

constexpr std::size_t kMegabyte = 1 << 20;

class EndingTest : public ::testing::Test {
 protected:
  void connect() {
    const auto before = balancer->established();
    client = balancer->connect();
    server = accept_from(backend);
    // The kernel connects before the balancer has looked; a reset until then would be a failed
    // connect, to be tried elsewhere.
    ASSERT_TRUE(eventually([&] { return balancer->established() > before; }));
  }
  void use(TestBalancer::Options options) {
    options.backends = {address_of(backend)};
    balancer = std::make_unique<TestBalancer>(options);
  }
  [[nodiscard]] bool everything_closed() const {
    return eventually([&] { return balancer->active() == 0; });
  }

  Fd backend = listen_any();
  std::unique_ptr<TestBalancer> balancer =
      std::make_unique<TestBalancer>(TestBalancer::Options{.backends = {address_of(backend)}});
  Fd client;
  Fd server;
};

using HalfClose = EndingTest;
using Reset = EndingTest;
using Deadline = EndingTest;
using Shutdown = EndingTest;

// scar 14
TEST_F(HalfClose, of_the_client_still_brings_the_whole_answer) {
  connect();
  send_all(client, "request");
  finish_sending(client);
  const auto request = receive_to_end(server);
  EXPECT_EQ(request.bytes, "request");
  EXPECT_EQ(request.ending, Ending::fin);
  const auto answer = pattern(100 * kMegabyte);
  auto sender = std::async(std::launch::async, [&] {
    send_all(server, answer);
    finish_sending(server);
  });
  const auto got = receive_to_end(client);
  sender.get();
  EXPECT_TRUE(got.bytes == answer);
  EXPECT_EQ(got.ending, Ending::fin);
  EXPECT_TRUE(everything_closed());
}

TEST_F(HalfClose, of_the_backend_still_takes_what_the_client_sends) {
  connect();
  finish_sending(server);
  EXPECT_EQ(ending_of(client), Ending::fin);
  const auto upload = pattern(10 * kMegabyte);
  auto sender = std::async(std::launch::async, [&] {
    send_all(client, upload);
    finish_sending(client);
  });
  EXPECT_TRUE(receive_to_end(server).bytes == upload);
  sender.get();
  EXPECT_TRUE(everything_closed());
}

// scar 12
TEST_F(HalfClose, a_backend_that_writes_and_closes_is_heard_out_by_a_slow_client) {
  connect();
  const auto answer = pattern(8 * kMegabyte);
  auto sender = std::async(std::launch::async, [&] {
    send_all(server, answer);
    server.reset();
  });
  std::string got;
  while (got.size() < answer.size()) {
    got += receive(client, std::min<std::size_t>(10'000, answer.size() - got.size()));
  }
  sender.get();
  EXPECT_TRUE(got == answer);
  EXPECT_EQ(ending_of(client), Ending::fin);
}

// scar 8
TEST_F(HalfClose, leaves_the_loop_asleep) {
  connect();
  finish_sending(client);
  EXPECT_EQ(ending_of(server), Ending::fin);
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(300)), 0.5);
}

// scars 13, 16
TEST_F(Reset, by_the_backend_arrives_as_a_reset_after_all_its_bytes) {
  connect();
  const auto last_words = pattern(5000);
  send_all(server, last_words);
  reset(std::move(server));
  const auto got = receive_to_end(client);
  EXPECT_TRUE(got.bytes == last_words);
  EXPECT_EQ(got.ending, Ending::reset);
  EXPECT_TRUE(everything_closed());
  EXPECT_EQ(balancer->closed(state::CloseCause::backend_reset), 1U);
}

// scars 13, 16
TEST_F(Reset, by_the_client_arrives_as_a_reset_after_all_its_bytes) {
  connect();
  const auto last_words = pattern(5000);
  send_all(client, last_words);
  reset(std::move(client));
  const auto got = receive_to_end(server);
  EXPECT_TRUE(got.bytes == last_words);
  EXPECT_EQ(got.ending, Ending::reset);
  EXPECT_TRUE(everything_closed());
  EXPECT_EQ(balancer->closed(state::CloseCause::client_reset), 1U);
}

// scar 16: closing with RST drops what the peer hasn't acknowledged; it waits until it has.
TEST_F(Reset, waits_for_a_slow_reader_to_have_everything) {
  connect();
  const auto last_words = pattern(3 * kMegabyte);
  // All of it fits the buffers on the way: the backend may reset before the client reads a byte.
  const int large = 4 << 20;
  ::setsockopt(server.get(), SOL_SOCKET, SO_SNDBUF, &large, sizeof large);
  send_all(server, last_words);
  ASSERT_TRUE(eventually([&] { return unacknowledged_bytes(server.get()) == 0; }))
      << "the balancer's side has no room for " << last_words.size();
  reset(std::move(server));
  std::string got;
  while (got.size() < last_words.size()) {
    got += receive(client, std::min<std::size_t>(50'000, last_words.size() - got.size()));
    std::this_thread::yield();
  }
  EXPECT_TRUE(got == last_words);
  EXPECT_EQ(ending_of(client), Ending::reset);
}

// A server that answers and resets while the client still sends: the answer is worth having.
TEST_F(Reset, of_a_socket_being_written_to_still_brings_what_it_said_before) {
  connect();
  send_all(server, "413 too large");
  const auto body = pattern(4 * kMegabyte);
  auto sender = std::async(std::launch::async,
                           [&] { static_cast<void>(send_without_waiting(client, body.size())); });
  sender.get();
  reset(std::move(server));
  const auto got = receive_to_end(client);
  EXPECT_EQ(got.bytes, "413 too large");
  EXPECT_EQ(got.ending, Ending::reset);
}

// scar 18
TEST_F(Reset, with_nothing_to_send_ends_the_connection_and_leaves_the_loop_asleep) {
  connect();
  reset(std::move(client));
  EXPECT_EQ(ending_of(server), Ending::reset);
  EXPECT_TRUE(everything_closed());
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(300)), 0.5);
}

// scars 5, 10: the pipe is full when the client goes; it is closed, not lent again.
TEST_F(Reset, with_a_full_pipe_frees_the_connection_and_spoils_no_later_one) {
  connect();
  while (send_without_waiting(server, 64 * kMegabyte) > 0) {
    static_cast<void>(cpu_share_during(std::chrono::milliseconds(20)));
  }
  reset(std::move(client));
  EXPECT_EQ(ending_of(server), Ending::reset);
  EXPECT_TRUE(everything_closed());
  connect();
  send_all(server, "clean");
  EXPECT_EQ(receive(client, 5), "clean");
}

// scars 15, 17
TEST_F(Deadline, ends_a_half_closed_connection_whose_other_side_stays_silent) {
  use({.backends = {}, .half_close_timeout = std::chrono::milliseconds(200)});
  connect();
  finish_sending(client);
  EXPECT_EQ(ending_of(client), Ending::reset);
  EXPECT_TRUE(everything_closed());
  EXPECT_EQ(balancer->closed(state::CloseCause::half_close_timeout), 1U);
}

// scar 17
TEST_F(Deadline, ends_an_idle_connection_with_fin) {
  use({.backends = {}, .idle_timeout = std::chrono::milliseconds(200)});
  connect();
  send_all(client, "once");
  EXPECT_EQ(receive(server, 4), "once");
  EXPECT_EQ(ending_of(client), Ending::fin);
  EXPECT_EQ(ending_of(server), Ending::fin);
  EXPECT_TRUE(everything_closed());
  EXPECT_EQ(balancer->closed(state::CloseCause::idle_timeout), 1U);
}

// scar 17
TEST_F(Deadline, spares_a_stream_that_is_busy_in_one_direction_only) {
  constexpr auto kIdle = std::chrono::seconds(3);  // no pause of a busy machine is as long
  use({.backends = {}, .idle_timeout = kIdle});
  connect();
  const auto end = Clock::now() + 2 * kIdle;
  while (Clock::now() < end) {
    send_all(server, "tick");
    ASSERT_EQ(receive(client, 4), "tick");
    static_cast<void>(cpu_share_during(std::chrono::milliseconds(20)));
  }
  EXPECT_EQ(balancer->closed(state::CloseCause::idle_timeout), 0U);
  EXPECT_EQ(ending_of(client), Ending::fin);  // and then it is idle
}

TEST_F(Shutdown, of_the_balancer_resets_what_is_in_flight_and_closes_the_rest_in_order) {
  connect();
  auto idle_client = std::move(client);
  auto idle_server = std::move(server);
  connect();
  while (send_without_waiting(server, 64 * kMegabyte) > 0) {
    static_cast<void>(cpu_share_during(std::chrono::milliseconds(20)));
  }
  balancer.reset();
  EXPECT_EQ(ending_of(idle_client), Ending::fin);
  EXPECT_EQ(ending_of(idle_server), Ending::fin);
  EXPECT_EQ(ending_of(client), Ending::reset);
}

}  // namespace
}  // namespace holdfast::testing
