// Who waits for a place on a backend, and whose turn it is when there is one.

#include <gtest/gtest.h>

#include <deque>
#include <string>
#include <thread>

#include "holdfast/pool/pool.h"
#include "holdfast/state/region.h"

namespace holdfast::pool {
namespace {

using state::Health;

class WaitingTest : public ::testing::Test {
 protected:
  // Notes whose turn it was: "a1" when client a was given backend 1.
  struct Client final : Ticket {
    Client(char its_name, std::int64_t arrived_at, std::string& its_turns,
           std::span<const std::uint16_t> tried = {})
        : Ticket(arrived_at, tried, 0), name(its_name), turns(its_turns) {}
    void on_turn(std::uint16_t backend, const SocketAddress&) override {
      turns += name + std::to_string(backend);
    }
    char name;
    std::string& turns;
  };

  WaitingTest() {
    config_.queue.size = 3;
    config_.balance = Balance::first;
  }

  std::shared_ptr<Pool> make(std::initializer_list<unsigned> limits,
                             const Pool* predecessor = nullptr,
                             std::initializer_list<unsigned> tiers = {}) {
    std::vector<Backend> backends;
    for (const unsigned limit : limits) {
      const auto index = static_cast<std::uint16_t>(backends.size());
      entry(index).weight.set(1);
      backends.push_back({.index = index,
                          .name = "web-" + std::to_string(index),
                          .address = SocketAddress::from(*Endpoint::parse("127.0.0.1:80")).value(),
                          .tier = index < tiers.size() ? tiers.begin()[index] : 0,
                          .max_connections = limit});
    }
    auto pool = std::make_shared<Pool>(config_, std::uint16_t{0}, std::move(backends),
                                       region_.shared(), predecessor);
    Pool::put_in_force(pool);
    return pool;
  }

  Client& client(char name, std::int64_t arrived_at, std::span<const std::uint16_t> tried = {}) {
    return clients_.emplace_back(name, arrived_at, turns_, tried);
  }
  static void fill(Pool& pool) {
    while (pool.pick({}) != nullptr) {
    }
  }
  state::BackendEntry& entry(std::size_t index) { return region_.shared().backends.at(index); }
  void set_health(std::size_t index, Health health) {
    entry(index).published_health.set(static_cast<std::uint32_t>(health));
  }
  std::uint32_t waiting() { return region_.shared().pools[0].waiting.get(); }

  PoolConfig config_;
  state::Region region_ = state::Region::create(1).value();
  std::string turns_;
  std::deque<Client> clients_;
};

TEST_F(WaitingTest, serves_clients_in_the_order_they_arrived) {
  const auto pool = make({1, 1});
  fill(*pool);
  EXPECT_EQ(pool->join(client('b', 20), false, {}), Joined::waits);
  EXPECT_EQ(pool->join(client('a', 10), false, {}), Joined::waits);
  EXPECT_EQ(pool->join(client('c', 30), false, {}), Joined::waits);
  EXPECT_EQ(waiting(), 3U);
  pool->release(1);
  pool->release(0);
  pool->release(1);
  EXPECT_EQ(turns_, "a1b0c1");
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(entry(0).active.get() + entry(1).active.get(), 2U);
}

TEST_F(WaitingTest, serves_at_once_from_a_higher_tier_that_an_ejection_brings_into_use) {
  config_.passive.failures = 1;
  const auto pool = make({1, 1}, nullptr, {0, 1});
  ASSERT_NE(pool->pick({}), nullptr);
  EXPECT_EQ(pool->join(client('a', 10), false, {}), Joined::waits);
  EXPECT_EQ(turns_, "");
  EXPECT_TRUE(pool->report_failure(0, Clock::now()));
  EXPECT_EQ(turns_, "a1");
}

TEST_F(WaitingTest, lets_nobody_past_those_who_wait) {
  const auto pool = make({1});
  fill(*pool);
  EXPECT_EQ(pool->join(client('a', 10), false, {}), Joined::waits);
  set_health(0, Health::down);
  pool->release(0);
  set_health(0, Health::up);
  EXPECT_EQ(pool->pick({}), nullptr) << "the place that is free is a's";
  EXPECT_EQ(pool->join(client('b', 20), false, {}), Joined::waits);
  EXPECT_EQ(turns_, "a0");
}

TEST_F(WaitingTest, takes_no_more_than_its_size_but_for_those_it_had_let_in) {
  const auto pool = make({1});
  fill(*pool);
  for (const char name : {'a', 'b', 'c'}) {
    EXPECT_EQ(pool->join(client(name, name), false, {}), Joined::waits);
  }
  EXPECT_EQ(pool->join(client('d', 'd'), false, {}), Joined::queue_full);
  EXPECT_EQ(pool->join(client('e', 'e'), true, {}), Joined::waits);
  EXPECT_EQ(waiting(), 4U);
}

TEST_F(WaitingTest, gives_the_place_in_the_queue_of_whoever_leaves_to_the_next) {
  const auto pool = make({1});
  fill(*pool);
  auto& a = client('a', 10);
  EXPECT_EQ(pool->join(a, false, {}), Joined::waits);
  EXPECT_EQ(pool->join(client('b', 20), false, {}), Joined::waits);
  EXPECT_TRUE(pool->leave(a));
  EXPECT_EQ(waiting(), 1U);
  pool->release(0);
  EXPECT_EQ(turns_, "b0");
  EXPECT_FALSE(pool->leave(a)) << "it isn't in it any more";
}

TEST_F(WaitingTest, tells_whoever_leaves_that_its_turn_had_come) {
  const auto pool = make({1});
  fill(*pool);
  auto& a = client('a', 10);
  EXPECT_EQ(pool->join(a, false, {}), Joined::waits);
  EXPECT_EQ(pool->join(client('b', 20), false, {}), Joined::waits);
  pool->release(0);
  EXPECT_FALSE(pool->leave(a));
  pool->release(0);  // as it owes
  EXPECT_EQ(turns_, "a0b0");
}

TEST_F(WaitingTest, turns_away_at_once_where_there_is_no_queue) {
  config_.queue.size = 0;
  const auto pool = make({1});
  fill(*pool);
  EXPECT_EQ(pool->join(client('a', 10), false, {}), Joined::backends_full);
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(WaitingTest, has_nobody_wait_for_what_is_down) {
  const auto pool = make({1});
  fill(*pool);
  set_health(0, Health::down);
  EXPECT_EQ(pool->join(client('a', 10), false, {}), Joined::no_backend);
  const std::array<std::uint16_t, 1> tried{0};
  set_health(0, Health::up);
  EXPECT_EQ(pool->join(client('b', 20, tried), true, {}), Joined::no_backend);
}

TEST_F(WaitingTest, does_not_let_one_that_may_not_have_what_is_free_hold_up_the_others) {
  const auto pool = make({1, 1});
  fill(*pool);
  const std::array<std::uint16_t, 1> tried{0};
  EXPECT_EQ(pool->join(client('a', 10, tried), true, {}), Joined::waits);
  EXPECT_EQ(pool->join(client('b', 20), false, {}), Joined::waits);
  pool->release(0);
  EXPECT_EQ(turns_, "b0");
  pool->release(1);
  EXPECT_EQ(turns_, "b0a1");
}

TEST_F(WaitingTest, turns_nobody_away_for_whom_a_place_is_free_that_the_others_may_not_have) {
  config_.queue.size = 1;
  const auto pool = make({1, 1});
  fill(*pool);
  const std::array<std::uint16_t, 1> tried{0};
  EXPECT_EQ(pool->join(client('a', 10, tried), true, {}), Joined::waits);
  pool->release(0);
  EXPECT_EQ(pool->join(client('b', 20), false, {}), Joined::waits);
  EXPECT_EQ(turns_, "b0");
  EXPECT_EQ(pool->join(client('c', 30), false, {}), Joined::queue_full);
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(WaitingTest, serves_by_the_configuration_in_force_whoever_began_to_wait_under_an_older_one) {
  const auto before = make({1});
  fill(*before);
  EXPECT_EQ(before->join(client('a', 10), false, {}), Joined::waits);
  EXPECT_EQ(before->join(client('b', 20), false, {}), Joined::waits);
  const auto after = make({1, 1}, before.get());
  EXPECT_EQ(turns_, "a1") << "a new backend has a place";
  EXPECT_TRUE(before->is_in_use(1)) << "nor is it left before it has answered";
  set_health(1, Health::down);
  EXPECT_FALSE(before->is_in_use(1));
  before->release(0);
  EXPECT_EQ(turns_, "a1b0");
  EXPECT_EQ(after->pick({}), nullptr);
}

TEST_F(WaitingTest, serves_nobody_before_all_are_back_in_the_queue) {
  const auto pool = make({1});
  pool->hold();
  EXPECT_EQ(pool->pick({}), nullptr) << "whoever is new waits behind those who are not back yet";
  EXPECT_EQ(pool->join(client('b', 20), true, {}), Joined::waits);
  EXPECT_EQ(pool->join(client('a', 10), true, {}), Joined::waits);
  EXPECT_EQ(turns_, "");
  pool->open();
  EXPECT_EQ(turns_, "a0");
  pool->release(0);
  EXPECT_EQ(turns_, "a0b0");
}

TEST_F(WaitingTest, has_who_waited_under_another_worker_go_on_without_a_queue_as_well) {
  config_.queue.size = 0;
  const auto pool = make({1});
  fill(*pool);
  set_health(0, Health::down);
  EXPECT_EQ(pool->rejoin(client('b', 20)), Joined::waits);
  EXPECT_EQ(pool->rejoin(client('a', 10)), Joined::waits);
  EXPECT_EQ(waiting(), 2U);
  set_health(0, Health::up);
  pool->release(0);
  pool->release(0);
  EXPECT_EQ(turns_, "a0b0");
  EXPECT_EQ(make({})->rejoin(client('c', 30)), Joined::no_backend);
}

TEST_F(WaitingTest, holds_nobody_up_where_there_is_no_queue) {
  config_.queue.size = 0;
  const auto pool = make({1});
  pool->hold();
  EXPECT_NE(pool->pick({}), nullptr);
}

// Under ThreadSanitizer the proof that any thread may wait, leave and release.
TEST_F(WaitingTest, loses_no_place_between_threads_that_come_wait_and_go) {
  config_.queue.size = 100;
  const auto pool = make({2, 3});
  struct Visitor final : Ticket {
    explicit Visitor(std::int64_t at) : Ticket(at, {}, 0) {}
    void on_turn(std::uint16_t its, const SocketAddress&) override { backend = its; }
    std::atomic<int> backend = -1;
  };
  std::atomic<unsigned> most = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (std::int64_t i = 0; i < 2000; ++i) {
        int had = -1;
        if (const auto* backend = pool->pick({}); backend != nullptr) {
          had = backend->index;
        } else {
          Visitor visitor(i);
          ASSERT_EQ(pool->join(visitor, false, {}), Joined::waits);
          if (!pool->leave(visitor)) {
            had = visitor.backend;
          }
        }
        const auto active = entry(0).active.get() + entry(1).active.get();
        most = std::max(most.load(), active);
        if (had >= 0) {
          pool->release(static_cast<std::uint16_t>(had));
        }
      }
    });
  }
  for (auto& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(entry(0).active.get(), 0U);
  EXPECT_EQ(entry(1).active.get(), 0U);
  EXPECT_LE(most, 5U);
  EXPECT_EQ(waiting(), 0U);
}

}  // namespace
}  // namespace holdfast::pool
