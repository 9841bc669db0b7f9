#include "holdfast/observe/snapshot.h"

#include <gmock/gmock.h>

#include "support/test_state.h"

namespace holdfast::observe {
namespace {

using state::Health;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::TestState;

TEST(Snapshot, of_nothing_is_empty) {
  const TestState state(2);

  const auto snapshot = take_snapshot(state.shared());

  EXPECT_EQ(snapshot.threads, 2U);
  EXPECT_EQ(snapshot.connections, 0U);
  EXPECT_THAT(snapshot.listeners, IsEmpty());
  EXPECT_THAT(snapshot.pools, IsEmpty());
}

TEST(Snapshot, of_an_idle_balancer_has_every_name_and_no_count) {
  TestState state;
  state.add_listener("web");
  state.add_pool("app");
  state.add_backend("app-1");

  const auto snapshot = take_snapshot(state.shared());

  ASSERT_EQ(snapshot.listeners.size(), 1U);
  EXPECT_EQ(snapshot.listeners[0].name, "web");
  EXPECT_EQ(snapshot.listeners[0].connections, 0U);
  EXPECT_EQ(snapshot.listeners[0].active, 0U);
  EXPECT_THAT(snapshot.listeners[0].rejected, Each(0U));
  ASSERT_EQ(snapshot.pools.size(), 1U);
  EXPECT_EQ(snapshot.pools[0].name, "app");
  EXPECT_THAT(snapshot.pools[0].connect_duration.buckets, Each(0U));
  ASSERT_EQ(snapshot.pools[0].backends.size(), 1U);
  EXPECT_EQ(snapshot.pools[0].backends[0].name, "app-1");
  EXPECT_THAT(snapshot.pools[0].backends[0].closed, Each(0U));
}

TEST(Snapshot, sums_a_listener_over_the_threads) {
  TestState state(2);
  state.add_listener("web");
  state.add_listener("db");
  for (unsigned thread = 0; thread < 2; ++thread) {
    auto& counters = state.thread(thread).listeners[1];
    counters.connections.add(10 + thread);
    counters.closed.add(4);
    counters.rejected[static_cast<std::size_t>(state::Rejection::shutdown)].add(2);
    counters.accept_pauses.add(3);
    counters.received_bytes.add(100);
    counters.sent_bytes.add(1000);
  }

  const auto snapshot = take_snapshot(state.shared());

  const auto& db = snapshot.listeners.at(1);
  EXPECT_EQ(db.connections, 21U);
  EXPECT_EQ(db.active, 13U);
  EXPECT_THAT(db.rejected, ElementsAre(0U, 4U, 0U, 0U, 0U, 0U, 0U));
  EXPECT_EQ(db.accept_pauses, 6U);
  EXPECT_EQ(db.received_bytes, 200U);
  EXPECT_EQ(db.sent_bytes, 2000U);
  EXPECT_EQ(snapshot.listeners.at(0).connections, 0U);
}

TEST(Snapshot, counts_active_connections_where_one_thread_accepts_and_none_is_negative) {
  TestState state;
  state.add_listener("web");
  state.thread(0).listeners[0].closed.add(1);

  EXPECT_EQ(take_snapshot(state.shared()).listeners.at(0).active, 0U);  // scar 29
}

TEST(Snapshot, leaves_out_threads_that_do_not_run) {
  TestState state(2);
  state.add_listener("web");
  state.thread(1).listeners[0].connections.add(1);
  state.shared().threads.set(1);

  EXPECT_EQ(take_snapshot(state.shared()).listeners.at(0).connections, 0U);
}

TEST(Snapshot, sums_a_pool_over_the_threads) {
  TestState state(2);
  state.add_pool("app");
  for (unsigned thread = 0; thread < 2; ++thread) {
    auto& counters = state.thread(thread).pools[0];
    counters.failovers.add(1);
    counters.no_backend.add(2);
    counters.connect_duration.observe(2'000'000);             // 2 ms
    counters.connection_duration.observe(2'000'000'000'000);  // 2000 s
  }
  state.shared().pools[0].health_check_duration.observe(100'000);  // exactly the first bound

  const auto pool = take_snapshot(state.shared()).pools.at(0);

  EXPECT_EQ(pool.failovers, 2U);
  EXPECT_EQ(pool.no_backend, 4U);
  EXPECT_EQ(pool.connect_duration.buckets[3], 2U);  // up to 5 ms
  EXPECT_EQ(pool.connect_duration.sum_nanoseconds, 4'000'000U);
  EXPECT_EQ(pool.connection_duration.buckets[13], 2U);  // up to 4 h
  EXPECT_EQ(pool.health_check_duration.buckets[0], 1U);
}

TEST(Snapshot, gives_each_pool_its_own_backends) {
  TestState state;
  state.add_pool("app");
  state.add_backend("app-1");
  state.add_backend("app-2");
  state.add_pool("db");
  const auto db = state.add_backend("db-1");
  state.thread(0).backends[db].connections.add(7);

  const auto snapshot = take_snapshot(state.shared());

  ASSERT_EQ(snapshot.pools.at(0).backends.size(), 2U);
  EXPECT_EQ(snapshot.pools[0].backends[1].name, "app-2");
  EXPECT_EQ(snapshot.pools[0].backends[1].connections, 0U);
  ASSERT_EQ(snapshot.pools.at(1).backends.size(), 1U);
  EXPECT_EQ(snapshot.pools[1].backends[0].name, "db-1");
  EXPECT_EQ(snapshot.pools[1].backends[0].connections, 7U);
}

TEST(Snapshot, has_all_there_is_about_a_backend) {
  TestState state(2);
  state.add_pool("app");
  const auto index = state.add_backend("app-1");
  auto& entry = state.shared().backends[index];
  entry.weight.set(5);
  entry.active.set(3);
  entry.checks_passed.add(20);
  entry.checks_failed.add(1);
  entry.transitions[static_cast<std::size_t>(Health::down)].add(1);
  entry.changed_at.set(1'700'000'000'123);
  for (unsigned thread = 0; thread < 2; ++thread) {
    auto& counters = state.thread(thread).backends[index];
    counters.connections.add(50);
    counters.connect_failures[static_cast<std::size_t>(state::ConnectFailure::timeout)].add(1);
    counters.closed[static_cast<std::size_t>(state::CloseCause::backend_reset)].add(2);
    counters.received_bytes.add(5);
    counters.sent_bytes.add(6);
  }

  const auto backend = take_snapshot(state.shared()).pools.at(0).backends.at(0);

  EXPECT_EQ(backend.health, Health::up);
  EXPECT_EQ(backend.weight, 5U);
  EXPECT_EQ(backend.active, 3U);
  EXPECT_EQ(backend.connections, 100U);
  EXPECT_THAT(backend.connect_failures, ElementsAre(0U, 0U, 0U, 2U, 0U, 0U));
  EXPECT_THAT(backend.closed, ElementsAre(0U, 0U, 4U, 0U, 0U, 0U, 0U, 0U, 0U));
  EXPECT_EQ(backend.received_bytes, 10U);
  EXPECT_EQ(backend.sent_bytes, 12U);
  EXPECT_EQ(backend.checks_passed, 20U);
  EXPECT_EQ(backend.checks_failed, 1U);
  EXPECT_THAT(backend.transitions, ElementsAre(0U, 0U, 1U));
  EXPECT_EQ(backend.changed_at, 1'700'000'000'123U);
}

TEST(Snapshot, calls_a_backend_serving_unless_it_is_down_or_weighs_nothing) {
  const auto serving = [](Health health, std::uint32_t weight) {
    BackendSnapshot backend;
    backend.health = health;
    backend.weight = weight;
    return backend.is_serving();
  };

  EXPECT_TRUE(serving(Health::up, 1));
  EXPECT_TRUE(serving(Health::unknown, 1));
  EXPECT_FALSE(serving(Health::down, 1));
  EXPECT_FALSE(serving(Health::up, 0));
}

}  // namespace
}  // namespace holdfast::observe
