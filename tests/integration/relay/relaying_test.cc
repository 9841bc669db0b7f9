// Bytes through the balancer: all of them, in order, and no more than the slower side can take.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <future>
#include <random>
#include <set>

#include "support/test_balancer.h"

namespace holdfast::testing {
namespace {

class Relaying : public ::testing::Test {
 protected:
  // A client, through the balancer, and the backend's end of it.
  void connect() {
    client = balancer.connect();
    server = accept_from(backend);
  }

  Fd backend = listen_any();
  TestBalancer balancer{{.backends = {address_of(backend)}}};
  Fd client;
  Fd server;
};

TEST_F(Relaying, carries_bytes_both_ways) {
  connect();
  send_all(client, "question");
  EXPECT_EQ(receive(server, 8), "question");
  send_all(server, "answer");
  EXPECT_EQ(receive(client, 6), "answer");
}

TEST_F(Relaying, carries_what_the_backend_says_first) {
  connect();
  send_all(server, "220 ready");
  EXPECT_EQ(receive(client, 9), "220 ready");
}

// However long the turn of the loop is that it is one of: the loop itself says so twice a second.
TEST_F(Relaying, shows_with_each_connection_that_it_lives) {
  connect();
  std::set<std::uint64_t> heartbeats;
  for (int i = 0; i < 10; ++i) {
    send_all(client, "x");
    EXPECT_EQ(receive(server, 1), "x");
    heartbeats.insert(balancer.counters().heartbeat.get());
  }
  EXPECT_EQ(heartbeats.size(), 10U);
}

TEST_F(Relaying, carries_large_amounts_both_ways_at_once_unchanged) {
  connect();
  const auto up = pattern(48 << 20, 1);
  const auto down = pattern(48 << 20, 2);
  auto upload = std::async(std::launch::async, [&] { send_all(client, up); });
  auto download = std::async(std::launch::async, [&] { send_all(server, down); });
  auto uploaded = std::async(std::launch::async, [&] { return receive(server, up.size()); });
  EXPECT_TRUE(receive(client, down.size()) == down);
  EXPECT_TRUE(uploaded.get() == up);
  upload.get();
  download.get();
}

// scar 1: EAGAIN from splice means a full pipe or an empty socket. Small segments fill the pipe's
// slots long before its bytes.
TEST_F(Relaying, brings_small_segments_to_a_slow_reader) {
  connect();
  const auto sent = pattern(16 << 20);  // more than the buffers of both sockets
  auto sender = std::async(std::launch::async, [&] {
    for (std::size_t at = 0; at < sent.size(); at += 700) {
      send_all(server, std::string_view(sent).substr(at, 700));
    }
    finish_sending(server);
  });
  std::string got;
  while (got.size() < sent.size()) {
    got += receive(client, std::min<std::size_t>(1000, sent.size() - got.size()));
  }
  sender.get();
  EXPECT_TRUE(got == sent);
}

// scar 7: a stream freezes when the write event is lost between a reader's stops and starts.
TEST_F(Relaying, survives_a_reader_that_stops_and_starts_at_random) {
  connect();
  const auto sent = pattern(16 << 20);
  auto sender = std::async(std::launch::async, [&] { send_all(server, sent); });
  std::minstd_rand random(7);
  std::string got;
  while (got.size() < sent.size()) {
    const auto amount = std::min<std::size_t>(random() % 300'000 + 1, sent.size() - got.size());
    got += receive(client, amount);
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 1000));
  }
  sender.get();
  EXPECT_TRUE(got == sent);
}

// scar 6: a failed splice that doesn't ask for the event again stalls a long transfer.
TEST_F(Relaying, keeps_going_over_a_long_transfer) {
  connect();
  constexpr std::size_t kTotal = std::size_t{1} << 30;
  const auto chunk = pattern(1 << 20);
  auto sender = std::async(std::launch::async, [&] {
    for (std::size_t sent = 0; sent < kTotal; sent += chunk.size()) {
      send_all(server, chunk);
    }
  });
  for (std::size_t got = 0; got < kTotal; got += chunk.size()) {
    ASSERT_TRUE(receive(client, chunk.size()) == chunk);
  }
  sender.get();
}

// scar 9: SPLICE_F_MORE or a missing TCP_NODELAY holds small answers back for 40 to 200 ms each.
TEST_F(Relaying, delays_no_ping_pong) {
  connect();
  const auto started = Clock::now();
  for (int i = 0; i < 100; ++i) {
    send_all(client, "ping");
    ASSERT_EQ(receive(server, 4), "ping");
    send_all(server, "pong");
    ASSERT_EQ(receive(client, 4), "pong");
  }
  // Held back each time it would be 8 s at least.
  EXPECT_LT(Clock::now() - started, std::chrono::seconds(7));
}

TEST_F(Relaying, takes_no_more_from_a_backend_than_a_client_that_reads_nothing_leaves_room_for) {
  connect();
  std::size_t taken = 0;
  std::size_t before = 1;
  while (taken != before) {  // until nothing more goes in
    before = taken;
    taken += send_without_waiting(server, std::size_t{256} << 20);
    static_cast<void>(cpu_share_during(std::chrono::milliseconds(100)));
  }
  // A pipe and four socket buffers; a balancer without back-pressure takes all 256 MiB.
  EXPECT_LT(taken, std::size_t{64} << 20);
}

TEST_F(Relaying, sleeps_while_a_client_reads_nothing) {
  connect();
  while (send_without_waiting(server, std::size_t{256} << 20) > 0) {
    static_cast<void>(cpu_share_during(std::chrono::milliseconds(50)));
  }
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(300)), 0.5);
}

// An urgent mark stops splice(2) while poll(2) says readable.
TEST_F(Relaying, neither_spins_nor_stops_at_urgent_data) {
  connect();
  send_all(client, "before");
  ASSERT_EQ(::send(client.get(), "!", 1, MSG_OOB), 1);
  send_all(client, "after");
  EXPECT_EQ(receive(server, 12), "before!after");
  ASSERT_EQ(::send(client.get(), "?", 1, MSG_OOB), 1);
  EXPECT_EQ(receive(server, 1), "?");
  EXPECT_LT(cpu_share_during(std::chrono::milliseconds(300)), 0.5);
}

TEST_F(Relaying, counts_bytes_and_connections_at_listener_and_backend) {
  connect();
  send_all(client, "12345");
  EXPECT_EQ(receive(server, 5), "12345");
  send_all(server, "123");
  EXPECT_EQ(receive(client, 3), "123");
  finish_sending(client);
  finish_sending(server);
  EXPECT_EQ(ending_of(client), Ending::fin);
  ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  const auto& listener = balancer.counters().listeners[0];
  const auto& at_backend = balancer.counters().backends[0];
  EXPECT_EQ(listener.connections.get(), 1U);
  EXPECT_EQ(listener.closed.get(), 1U);
  EXPECT_EQ(listener.received_bytes.get(), 5U);
  EXPECT_EQ(listener.sent_bytes.get(), 3U);
  EXPECT_EQ(at_backend.sent_bytes.get(), 5U);
  EXPECT_EQ(at_backend.received_bytes.get(), 3U);
  EXPECT_EQ(balancer.closed(state::CloseCause::finished), 1U);
}

// scar 29: counts that drift stop the accepting in the end.
TEST_F(Relaying, leaves_no_count_and_no_descriptor_behind_after_churn) {
  const auto churn = [&] {
    for (int i = 0; i < 200; ++i) {
      connect();
      send_all(client, "x");
      if (i % 3 == 0) {
        reset(std::move(client));
      } else if (i % 3 == 1) {
        reset(std::move(server));
      }
      client = Fd();
      server = Fd();
    }
    ASSERT_TRUE(eventually([&] { return balancer.active() == 0; }));
  };
  churn();
  const auto before = open_descriptors();
  churn();
  EXPECT_EQ(balancer.shared().backends[0].active.get(), 0U);
  EXPECT_EQ(open_descriptors(), before);
}

}  // namespace
}  // namespace holdfast::testing
