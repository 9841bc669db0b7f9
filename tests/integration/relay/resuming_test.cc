// A relay thread that goes on with records another worker left: real sockets, records made by hand.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <limits>
#include <memory>

#include "holdfast/base/socket.h"
#include "holdfast/relay/relay.h"
#include "holdfast/state/region.h"
#include "relay/ledger.h"
#include "support/tcp.h"
#include "support/text_log.h"
#include "support/turning.h"

namespace holdfast::testing {
namespace {

using namespace std::chrono_literals;
using state::CloseCause;
using state::ConnectionState;
using state::FlowState;

// One connection that was being relayed: the far ends are the test's, the near ones the record's.
struct Connection {
  Connection(const Fd& front, const Fd& back) : client(connect_to(address_of(front))), server() {
    from_client = accept_from(front);
    to_backend = connect_to(address_of(back));
    server = accept_from(back);
  }
  Fd client;
  Fd from_client;
  Fd to_backend;
  Fd server;
};

class Resuming : public ::testing::Test {
 protected:
  static constexpr auto kIdle = 1h;
  static constexpr auto kHalfClose = 2h;

  Resuming() {
    shared().threads.set(1);
    shared().listeners[0].name = state::to_name("web");
    shared().backends[0].name = state::to_name("web-1");
    make_pool({});
  }

  void make_pool(PoolConfig config) {
    config.name = "web";
    pool_ = std::make_shared<pool::Pool>(
        config, std::uint16_t{0},
        std::vector<pool::Backend>{{std::uint16_t{0}, "web-1", address_of(back_)}}, shared());
  }

  // Counted as take_over() counts it; its descriptors are the record's from now on.
  state::ConnectionRecord& leave(Connection& connection, Duration silent_for = {}) {
    auto& touched = thread().touched;
    auto& record = region_.records(0)[touched.get()];
    touched.set(touched.get() + 1);
    record = {};
    record.state = ConnectionState::relaying;
    record.listener = 0;
    record.backend = 0;
    record.active_at = to_nanoseconds(Clock::now() - silent_for);
    record.client_fd = connection.from_client.release();
    record.backend_fd = connection.to_backend.release();
    shared().connections.increment();
    shared().backends[0].active.increment();
    thread().listeners[0].connections.add(1);
    return record;
  }

  void recover(Duration idle = kIdle, Duration half_close = kHalfClose) {
    relay_ = std::make_unique<relay::Relay>(
        loop_, relay::RelayOptions{.limits = {.max_connections = 10, .max_pipes = 10}}, shared(),
        region_.records(0), log_.log());
    relay_->configure({.index = 0,
                       .name = "web",
                       .pool = pool_,
                       .idle_timeout = idle,
                       .half_close_timeout = half_close});
    relay_->recover({});
  }

  [[nodiscard]] bool all_ended() {
    return turn_until(loop_, [&] { return shared().connections.get() == 0; });
  }
  [[nodiscard]] std::uint64_t closed(CloseCause cause) {
    return thread().backends[0].closed[static_cast<std::size_t>(cause)].get();
  }
  state::SharedState& shared() { return region_.shared(); }
  state::ThreadState& thread() { return shared().per_thread[0]; }

  Fd front_ = listen_any();
  Fd back_ = listen_any();
  Connection connection_{front_, back_};
  loop::Loop loop_;
  TextLog log_;
  state::Region region_ = state::Region::create(10).value();
  std::shared_ptr<pool::Pool> pool_;
  std::unique_ptr<relay::Relay> relay_;
};

TEST_F(Resuming, moves_what_waited_both_ways) {
  send_all(connection_.client, "question");
  send_all(connection_.server, "answer");
  leave(connection_);
  recover();
  EXPECT_EQ(receive(connection_.server, 8), "question");
  EXPECT_EQ(receive(connection_.client, 6), "answer");
  EXPECT_EQ(thread().recovered.get(), 1U);
  EXPECT_EQ(thread().lost.get(), 0U);
}

// The dead worker had read the error and died before it noted anything: the socket's next read says
// FIN. scar 16
TEST_F(Resuming, passes_a_reset_on_whose_error_the_dead_worker_took) {
  for (const bool by_client : {true, false}) {
    Connection connection(front_, back_);
    auto& dead = by_client ? connection.client : connection.server;
    auto& alive = by_client ? connection.server : connection.client;
    auto& met = by_client ? connection.from_client : connection.to_backend;
    reset(std::move(dead));
    ASSERT_TRUE(eventually([&] { return relay::is_closed(met.get()); }));
    ASSERT_EQ(ending_of(met), Ending::reset);
    leave(connection);
    recover();
    ASSERT_TRUE(all_ended());
    EXPECT_EQ(ending_of(alive), Ending::reset);
    EXPECT_EQ(closed(by_client ? CloseCause::client_reset : CloseCause::backend_reset), 1U);
    EXPECT_EQ(closed(CloseCause::finished), 0U);
    relay_.reset();
  }
}

// The same before the backend's first byte, where what was asked could go to another backend.
TEST_F(Resuming, blames_a_backend_for_a_reset_whose_error_the_dead_worker_took) {
  PoolConfig config;
  config.replay.up_to = 1024;
  make_pool(config);
  reset(std::move(connection_.server));
  ASSERT_TRUE(eventually([&] { return relay::is_closed(connection_.to_backend.get()); }));
  ASSERT_EQ(ending_of(connection_.to_backend), Ending::reset);
  auto& record = leave(connection_);
  record.attempts = 1;
  record.tried[0] = 0;
  recover();
  ASSERT_TRUE(all_ended());
  EXPECT_EQ(closed(CloseCause::backend_reset), 1U);
  EXPECT_EQ(closed(CloseCause::finished), 0U);
  EXPECT_EQ(thread().pools[0].replays.get(), 1U);
  EXPECT_EQ(shared().backends[0].ejection.failures.get(), 1U);
}

// scars 13, 16
TEST_F(Resuming, counts_a_reset_that_nobody_has_looked_at_by_who_made_it) {
  for (const bool by_client : {true, false}) {
    Connection connection(front_, back_);
    auto& dead = by_client ? connection.client : connection.server;
    auto& alive = by_client ? connection.server : connection.client;
    auto& met = by_client ? connection.from_client : connection.to_backend;
    send_all(dead, "last words");
    reset(std::move(dead));
    ASSERT_TRUE(eventually([&] { return relay::is_closed(met.get()); }));
    leave(connection);
    recover();
    ASSERT_TRUE(all_ended());
    const auto heard = receive_to_end(alive);
    EXPECT_EQ(heard.bytes, "last words");
    EXPECT_EQ(heard.ending, Ending::reset);
    EXPECT_EQ(closed(by_client ? CloseCause::client_reset : CloseCause::backend_reset), 1U);
    EXPECT_EQ(closed(CloseCause::finished), 0U);
    relay_.reset();
  }
}

TEST_F(Resuming, remembers_which_end_an_earlier_worker_had_seen_reset) {
  auto& record = leave(connection_);
  record.reset = state::ResetBy::client;
  record.to_client.state = FlowState::aborted;
  record.to_backend.state = FlowState::aborted;
  recover();
  ASSERT_TRUE(all_ended());
  EXPECT_EQ(closed(CloseCause::client_reset), 1U);
  EXPECT_EQ(ending_of(connection_.server), Ending::reset);
}

// scar 29
TEST_F(Resuming, counts_a_connection_no_longer_that_it_cannot_go_on_with) {
  auto& record = leave(connection_);
  record.to_backend.pipe_read = 1'000'000;
  record.to_backend.pipe_write = 1'000'001;
  Connection other(front_, back_);
  leave(other);
  recover();
  EXPECT_EQ(thread().lost.get(), 1U);
  EXPECT_EQ(thread().recovered.get(), 1U);
  EXPECT_EQ(shared().connections.get(), 1U);
  EXPECT_EQ(shared().backends[0].active.get(), 1U);
  EXPECT_EQ(thread().listeners[0].connections.get() - thread().listeners[0].closed.get(), 1U);
  EXPECT_EQ(ending_of(connection_.client), Ending::reset);
  EXPECT_EQ(ending_of(connection_.server), Ending::reset);
  send_all(other.client, "fine");
  ASSERT_TRUE(turn_until(loop_, [&] { return is_ready(other.server.get(), true, false); }));
  EXPECT_EQ(receive(other.server, 4), "fine");
}

// scar 17
TEST_F(Resuming, ends_at_once_what_has_been_idle_for_too_long_and_nothing_else) {
  Connection fresh(front_, back_);
  Connection half_closed(front_, back_);
  leave(fresh, kIdle / 2);
  leave(connection_, kIdle + 1s);
  auto& record = leave(half_closed, kIdle + 1s);
  record.to_backend.state = FlowState::shut;
  recover();
  ASSERT_TRUE(turn_until(loop_, [&] { return closed(CloseCause::idle_timeout) == 1; }));
  EXPECT_EQ(shared().connections.get(), 2U);
  EXPECT_EQ(ending_of(connection_.client), Ending::fin);
  send_all(fresh.client, "here");
  ASSERT_TRUE(turn_until(loop_, [&] { return is_ready(fresh.server.get(), true, false); }));
  EXPECT_EQ(receive(fresh.server, 4), "here");
  EXPECT_EQ(ending_of(half_closed.server), Ending::fin);
}

// scar 15
TEST_F(Resuming, gives_half_closed_connections_what_is_left_of_their_time) {
  const auto began = Clock::now();
  auto& record = leave(connection_, kHalfClose - 50ms);
  record.to_client.state = FlowState::shut;
  recover();
  EXPECT_EQ(shared().connections.get(), 1U);
  ASSERT_TRUE(all_ended());
  EXPECT_EQ(closed(CloseCause::half_close_timeout), 1U);
  EXPECT_GE(Clock::now() - began, 40ms);
}

TEST_F(Resuming, counts_bytes_that_came_meanwhile_as_a_sign_of_life) {
  send_all(connection_.client, "still here");
  const auto before = Clock::now();
  const auto& record = leave(connection_, 2 * kIdle);
  recover();
  EXPECT_EQ(receive(connection_.server, 10), "still here");
  turn(loop_);
  EXPECT_EQ(shared().connections.get(), 1U);
  EXPECT_GE(from_nanoseconds(record.active_at), before - 100ms);
}

TEST_F(Resuming, waits_no_longer_for_the_last_bytes_of_a_reset_connection_than_from_its_end_on) {
  ASSERT_GT(send_without_waiting(connection_.from_client, 64 << 20), 0U);
  auto& record = leave(connection_, kHalfClose + 1s);
  record.reset = state::ResetBy::backend;
  record.to_client.state = FlowState::aborted;
  record.to_backend.state = FlowState::aborted;
  recover();
  ASSERT_TRUE(all_ended());
  EXPECT_EQ(closed(CloseCause::backend_reset), 1U);
}

TEST_F(Resuming, believes_no_time_that_a_broken_worker_left) {
  leave(connection_).active_at = std::numeric_limits<std::int64_t>::min();
  Connection other(front_, back_);
  leave(other).active_at = std::numeric_limits<std::int64_t>::max();
  recover();
  ASSERT_TRUE(turn_until(loop_, [&] { return closed(CloseCause::idle_timeout) == 1; }));
  EXPECT_EQ(shared().connections.get(), 1U);
}

}  // namespace
}  // namespace holdfast::testing
