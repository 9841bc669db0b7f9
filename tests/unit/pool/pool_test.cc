#include "holdfast/pool/pool.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <thread>

#include "holdfast/state/region.h"

namespace holdfast::pool {
namespace {

using state::Health;

class PoolTest : public ::testing::Test {
 protected:
  // Backends take the places from 10 on, so that a place isn't taken for an index.
  static constexpr std::uint16_t kFirst = 10;

  Pool make(std::uint16_t backends, Balance balance = Balance::round_robin) {
    PoolConfig config;
    config.name = "web";
    config.balance = balance;
    std::vector<Backend> made;
    for (std::uint16_t i = 0; i < backends; ++i) {
      const auto index = static_cast<std::uint16_t>(kFirst + i);
      entry(index).weight.set(1);
      made.push_back({index, "web-" + std::to_string(i),
                      SocketAddress::from(*Endpoint::parse("127.0.0.1:80")).value()});
    }
    return {config, 3, std::move(made), region_.shared()};
  }

  // The index of the backend picked; -1 for none.
  static int pick(Pool& pool, std::initializer_list<std::uint16_t> tried = {}) {
    const auto* backend = pool.pick({.tried = {tried.begin(), tried.size()}});
    return backend == nullptr ? -1 : backend->index;
  }

  state::BackendEntry& entry(std::uint16_t index) { return region_.shared().backends[index]; }
  void set_health(std::uint16_t index, Health health) {
    entry(index).published_health.set(static_cast<std::uint32_t>(health));
  }

  state::Region region_ = state::Region::create(1).value();
};

TEST_F(PoolTest, picks_by_its_algorithm) {
  auto round = make(2, Balance::round_robin);
  EXPECT_EQ(pick(round), 10);
  EXPECT_EQ(pick(round), 11);
  EXPECT_EQ(pick(round), 10);
  auto least = make(2, Balance::least_connections);
  entry(10).active.set(5);
  entry(11).active.set(0);
  EXPECT_EQ(pick(least), 11);
  EXPECT_EQ(pick(least), 11);
}

TEST_F(PoolTest, counts_a_connection_from_the_pick_to_the_release) {
  auto pool = make(1);
  const auto* backend = pool.pick({});
  ASSERT_NE(backend, nullptr);
  EXPECT_EQ(entry(10).active.get(), 1U);
  pool.release(backend->index);
  EXPECT_EQ(entry(10).active.get(), 0U);
}

TEST_F(PoolTest, does_not_pick_whom_this_client_has_tried) {
  auto pool = make(3);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(pick(pool, {10, 12}), 11);
  }
}

TEST_F(PoolTest, has_nobody_left_once_all_were_tried_and_counts_nothing) {
  auto pool = make(2);
  EXPECT_EQ(pick(pool, {10, 11}), -1);
  EXPECT_EQ(entry(10).active.get() + entry(11).active.get(), 0U);
}

TEST_F(PoolTest, leaves_out_what_is_down_and_trusts_what_is_not_known_yet) {
  auto pool = make(3);
  set_health(10, Health::down);
  set_health(11, Health::unknown);
  set_health(12, Health::up);
  EXPECT_EQ(pick(pool), 11);
  EXPECT_EQ(pick(pool), 12);
  EXPECT_EQ(pick(pool), 11);
  EXPECT_EQ(pool.serving(), 2U);
}

TEST_F(PoolTest, sees_at_the_next_pick_that_a_backend_came_back) {
  auto pool = make(1);
  set_health(10, Health::down);
  EXPECT_EQ(pick(pool), -1);
  set_health(10, Health::up);
  EXPECT_EQ(pick(pool), 10);
}

TEST_F(PoolTest, gives_weight_0_no_new_connections) {
  auto pool = make(2);
  entry(10).weight.set(0);
  EXPECT_EQ(pick(pool), 11);
  EXPECT_EQ(pick(pool), 11);
  EXPECT_EQ(pool.serving(), 1U);
  entry(11).weight.set(0);
  EXPECT_EQ(pick(pool), -1);
  EXPECT_EQ(pool.serving(), 0U);
}

TEST_F(PoolTest, gives_no_new_connections_to_whom_an_operator_drains) {
  auto pool = make(3);
  entry(10).admin.state.set(static_cast<std::uint32_t>(state::AdminState::drain));
  entry(11).admin.state.set(static_cast<std::uint32_t>(state::AdminState::maint));
  EXPECT_EQ(pick(pool), 12);
  EXPECT_EQ(pick(pool), 12);
  EXPECT_EQ(pool.serving(), 1U);
  entry(10).admin.state.set(static_cast<std::uint32_t>(state::AdminState::ready));
  EXPECT_EQ(pool.serving(), 2U);
}

TEST_F(PoolTest, heeds_a_weight_that_changes_while_it_runs) {
  auto pool = make(2);
  entry(10).weight.set(3);
  std::array<int, 2> picked{};
  for (int i = 0; i < 8; ++i) {
    ++picked.at(static_cast<std::size_t>(pick(pool) - kFirst));
  }
  EXPECT_EQ(picked, (std::array<int, 2>{6, 2}));
}

TEST_F(PoolTest, leaves_out_a_backend_whose_name_has_no_address) {
  entry(10).weight.set(1);
  Pool pool(PoolConfig{}, 0, {{10, "web-1", std::nullopt}}, region_.shared());
  EXPECT_EQ(pick(pool), -1);
  EXPECT_EQ(pool.serving(), 0U);
}

TEST_F(PoolTest, has_nobody_when_it_is_empty) {
  auto pool = make(0);
  EXPECT_EQ(pick(pool), -1);
}

// Runs `body(thread)` on several threads at once.
template <class Body>
void on_threads(int count, Body body) {
  std::vector<std::thread> threads;
  threads.reserve(static_cast<std::size_t>(count));
  for (int thread = 0; thread < count; ++thread) {
    threads.emplace_back(body, static_cast<std::size_t>(thread));
  }
  for (auto& thread : threads) {
    thread.join();
  }
}

TEST_F(PoolTest, gives_each_backend_its_share_with_picks_from_several_threads) {
  constexpr int kPicks = 3000;
  auto pool = make(3);
  std::array<std::array<int, 3>, 4> picked{};
  on_threads(4, [&](std::size_t thread) {
    for (int i = 0; i < kPicks; ++i) {
      ++picked.at(thread).at(static_cast<std::size_t>(pick(pool) - kFirst));
    }
  });
  for (std::uint16_t i = 0; i < 3; ++i) {
    EXPECT_EQ(picked[0].at(i) + picked[1].at(i) + picked[2].at(i) + picked[3].at(i),
              4 * kPicks / 3);
    EXPECT_EQ(entry(static_cast<std::uint16_t>(kFirst + i)).active.get(), 4U * kPicks / 3);
  }
}

// scar 29, and under ThreadSanitizer the proof that any thread may pick and release.
TEST_F(PoolTest, counts_exactly_zero_after_several_threads_have_picked_and_retried) {
  auto pool = make(3, Balance::least_connections);
  on_threads(4, [&](std::size_t) {
    for (int i = 0; i < 3000; ++i) {
      const auto* first = pool.pick({});
      const std::array<std::uint16_t, 1> tried{first->index};
      const auto* second = pool.pick({.tried = tried});
      EXPECT_NE(first, second);
      pool.release(first->index);
      pool.release(second->index);
    }
  });
  for (const auto& backend : pool.backends()) {
    EXPECT_EQ(pool.entry(backend).active.get(), 0U) << backend.name;
  }
}

// scar 29
TEST_F(PoolTest, takes_health_and_weight_changes_from_another_thread_while_it_picks) {
  auto pool = make(2);
  std::thread control([this] {
    for (int i = 0; i < 2000; ++i) {
      set_health(10, i % 2 == 0 ? Health::down : Health::up);
      entry(11).weight.set(static_cast<std::uint32_t>(1 + i % 3));
    }
    set_health(10, Health::down);
  });
  for (int i = 0; i < 2000; ++i) {
    const auto* backend = pool.pick({});
    ASSERT_NE(backend, nullptr) << "11 serves all the time";
    pool.release(backend->index);
  }
  control.join();
  EXPECT_EQ(pick(pool), 11);
  EXPECT_EQ(entry(10).active.get(), 0U);
  EXPECT_EQ(entry(11).active.get(), 1U);
}

}  // namespace
}  // namespace holdfast::pool
