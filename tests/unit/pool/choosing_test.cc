// Who is chosen when tiers, panic, slow start and limits have a say.

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "holdfast/balance/hash.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/region.h"

namespace holdfast::pool {
namespace {

using state::Health;
using std::chrono::seconds;

constexpr Balance kAll[] = {Balance::round_robin,  Balance::least_connections,
                            Balance::power_of_two, Balance::random,
                            Balance::first,        Balance::maglev};

const TimePoint kNow = TimePoint(std::chrono::hours(1));

class ChoosingTest : public ::testing::Test {
 protected:
  // A backend for each, named a, b, c…
  struct Wanted {
    unsigned tier = 0;
    unsigned max_connections = 0;
  };

  Pool make(const std::vector<Wanted>& wanted) {
    std::vector<Backend> backends;
    for (const auto& one : wanted) {
      const auto index = static_cast<std::uint16_t>(backends.size());
      entry(index) = {};
      entry(index).weight.set(1);
      set_health(index, Health::up);
      backends.push_back({.index = index,
                          .name = std::string(1, static_cast<char>('a' + index)),
                          .address = SocketAddress::from(*Endpoint::parse("127.0.0.1:80")).value(),
                          .tier = one.tier,
                          .max_connections = one.max_connections});
    }
    return {config_, 0, std::move(backends), region_.shared(), nullptr, 1};
  }

  state::BackendEntry& entry(std::size_t index) { return region_.shared().backends.at(index); }
  void set_health(std::size_t index, Health health) {
    entry(index).published_health.set(static_cast<std::uint32_t>(health));
  }
  void take_down(std::string_view names) {
    for (const char name : names) {
      set_health(static_cast<std::size_t>(name - 'a'), Health::down);
    }
  }
  void bring_back(std::size_t index, TimePoint when) {
    set_health(index, Health::up);
    entry(index).came_back_at.set(static_cast<std::uint64_t>(to_nanoseconds(when)));
  }

  // How often each was picked, '-' for none, by clients that go away at once.
  std::map<char, int> count(Pool& pool, int picks, TimePoint now = kNow) {
    std::map<char, int> counts;
    for (int i = 0; i < picks; ++i) {
      ++counts[pick(pool, balance::mix(static_cast<std::uint64_t>(i)), now)];
    }
    return counts;
  }
  std::string picked(Pool& pool, int picks = 300) {
    std::string names;
    for (const auto& [name, times] : count(pool, picks)) {
      names += name;
    }
    return names;
  }
  char pick(Pool& pool, std::uint64_t client, TimePoint now = kNow,
            std::vector<std::uint16_t> tried = {}) {
    const auto* backend = pool.pick({.tried = tried, .client = client, .now = now});
    if (backend == nullptr) {
      return '-';
    }
    pool.release(backend->index);
    return backend->name[0];
  }

  PoolConfig config_;
  state::Region region_ = state::Region::create(1).value();
};

TEST_F(ChoosingTest, leaves_the_higher_tiers_alone_while_the_lowest_has_enough) {
  for (const auto balance : kAll) {
    config_.balance = balance;
    auto pool = make({{.tier = 1}, {.tier = 0}, {.tier = 1}, {.tier = 2}});
    pool.update();
    EXPECT_EQ(picked(pool), "b");
    EXPECT_EQ(pool.reach(), (Reach{.tier = 0}));
  }
}

TEST_F(ChoosingTest, spills_over_when_the_lowest_tier_is_down_and_back_when_it_returns) {
  for (const auto balance : kAll) {
    config_.balance = balance;
    auto pool = make({{.tier = 0}, {.tier = 1}, {.tier = 2}});
    pool.update();
    take_down("a");
    EXPECT_EQ(picked(pool), "b");
    take_down("b");
    EXPECT_EQ(picked(pool), "c");
    set_health(1, Health::up);
    EXPECT_EQ(picked(pool), "b");
    set_health(0, Health::up);
    EXPECT_EQ(picked(pool), "a");
  }
}

TEST_F(ChoosingTest, uses_the_next_tier_beside_what_is_left_of_the_one_below) {
  config_.min_healthy = 2;
  auto pool = make({{.tier = 0}, {.tier = 0}, {.tier = 1}, {.tier = 2}});
  EXPECT_EQ(picked(pool), "ab");
  take_down("a");
  EXPECT_EQ(picked(pool), "bc");
  take_down("c");
  EXPECT_EQ(picked(pool), "bd");
}

TEST_F(ChoosingTest, counts_no_backend_of_weight_0_among_those_that_keep_a_tier) {
  auto pool = make({{.tier = 0}, {.tier = 1}});
  entry(0).weight.set(0);
  EXPECT_EQ(picked(pool), "b");
}

TEST_F(ChoosingTest, passes_over_a_gap_in_the_tiers) {
  auto pool = make({{.tier = 3}, {.tier = 7}});
  EXPECT_EQ(picked(pool), "a");
  take_down("a");
  EXPECT_EQ(picked(pool), "b");
}

TEST_F(ChoosingTest, sends_a_client_that_has_tried_its_tier_to_the_next) {
  auto pool = make({{.tier = 0}, {.tier = 1}});
  EXPECT_EQ(pick(pool, 0, kNow, {0}), 'b');
  EXPECT_EQ(pick(pool, 0, kNow, {0, 1}), '-');
}

TEST_F(ChoosingTest, tries_what_is_down_when_too_few_are_healthy) {
  config_.panic_threshold = 50;
  for (const auto balance : kAll) {
    config_.balance = balance;
    auto pool = make({{}, {}, {}, {}});
    pool.update();
    take_down("ab");
    EXPECT_EQ(picked(pool), balance == Balance::first ? "c" : "cd") << "half is not below half";
    take_down("c");
    EXPECT_EQ(picked(pool), balance == Balance::first ? "a" : "abcd");
    EXPECT_TRUE(pool.reach().panics);
    set_health(2, Health::up);
    EXPECT_EQ(picked(pool), balance == Balance::first ? "c" : "cd");
  }
}

TEST_F(ChoosingTest, does_not_panic_unless_it_is_told_when) {
  auto pool = make({{}, {}});
  take_down("ab");
  EXPECT_EQ(picked(pool), "-");
}

// Or every connect of a pool that is slow and panics would be raced.
TEST_F(ChoosingTest, goes_on_with_what_is_down_in_a_panic) {
  config_.panic_threshold = 50;
  const auto pool = make({{}, {}, {}});
  take_down("a");
  EXPECT_FALSE(pool.is_in_use(0));
  EXPECT_TRUE(pool.is_in_use(1));
  take_down("ab");
  EXPECT_TRUE(pool.is_in_use(0));
  entry(0).weight.set(0);
  EXPECT_FALSE(pool.is_in_use(0));
}

TEST_F(ChoosingTest, leaves_alone_in_a_panic_what_was_taken_out_on_purpose) {
  config_.panic_threshold = 100;
  auto pool = make({{}, {}, {.tier = 1}});
  entry(0).weight.set(0);
  EXPECT_EQ(picked(pool), "b");
  take_down("b");
  EXPECT_EQ(picked(pool), "bc") << "all tiers";
}

TEST_F(ChoosingTest, gives_a_backend_that_came_back_its_weight_little_by_little) {
  config_.slow_start = seconds(100);
  for (const auto balance : {Balance::round_robin, Balance::random, Balance::power_of_two}) {
    config_.balance = balance;
    auto pool = make({{}, {}});
    bring_back(1, kNow);
    EXPECT_LE(count(pool, 1000, kNow)['b'], 5);
    EXPECT_NEAR(count(pool, 3000, kNow + seconds(25))['b'], 600, 80);   // 0.25 of 1.25
    EXPECT_NEAR(count(pool, 3000, kNow + seconds(50))['b'], 1000, 80);  // 0.5 of 1.5
    EXPECT_NEAR(count(pool, 3000, kNow + seconds(100))['b'], 1500, 90);
    EXPECT_NEAR(count(pool, 3000, kNow + seconds(5000))['b'], 1500, 90);
  }
}

TEST_F(ChoosingTest, fills_a_backend_that_came_back_to_its_share_of_connections_only) {
  config_.slow_start = seconds(100);
  config_.balance = Balance::least_connections;
  auto pool = make({{}, {}});
  bring_back(1, kNow);
  for (int i = 0; i < 150; ++i) {
    static_cast<void>(pool.pick({.now = kNow + seconds(50)}));
  }
  EXPECT_NEAR(entry(1).active.get(), 50, 1);
}

TEST_F(ChoosingTest, lets_the_first_have_only_a_part_while_it_comes_back) {
  config_.slow_start = seconds(100);
  config_.balance = Balance::first;
  auto pool = make({{}, {}});
  bring_back(0, kNow);
  EXPECT_NEAR(count(pool, 3000, kNow + seconds(30))['a'], 900, 90);
  EXPECT_EQ(count(pool, 300, kNow + seconds(100))['a'], 300);
}

TEST_F(ChoosingTest, gives_all_to_a_backend_that_comes_back_alone) {
  config_.slow_start = seconds(100);
  for (const auto balance : kAll) {
    config_.balance = balance;
    auto pool = make({{}, {}});
    pool.update();
    take_down("a");
    bring_back(1, kNow);
    EXPECT_EQ(picked(pool), "b");
  }
}

TEST_F(ChoosingTest, has_everybody_start_fast_unless_told_otherwise) {
  auto pool = make({{}, {}});
  bring_back(1, kNow);
  EXPECT_EQ(count(pool, 100)['b'], 50);
}

TEST_F(ChoosingTest, moves_a_client_of_maglev_only_once_while_its_backend_comes_back) {
  config_.slow_start = seconds(100);
  config_.balance = Balance::maglev;
  auto pool = make({{}, {}, {}});
  pool.update();
  bring_back(1, kNow);
  int moved = 0;
  for (std::uint64_t i = 0; i < 500; ++i) {
    const auto client = balance::mix(i);
    const char at_end = pick(pool, client, kNow + seconds(100));
    const char at_first = pick(pool, client, kNow);
    bool is_there = false;
    for (int second = 0; second <= 100; second += 5) {
      const char now = pick(pool, client, kNow + seconds(second));
      EXPECT_TRUE(now == at_first || now == at_end);
      EXPECT_TRUE(!is_there || now == at_end) << "back again";
      is_there = now == at_end;
    }
    moved += at_first != at_end ? 1 : 0;
  }
  EXPECT_NEAR(moved, 500 / 3, 40);
}

TEST_F(ChoosingTest, gives_a_client_of_maglev_the_same_backend_again_and_again) {
  config_.balance = Balance::maglev;
  auto pool = make({{}, {}, {}, {}, {}});
  pool.update();
  std::map<char, int> counts;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const char first = pick(pool, balance::mix(i));
    EXPECT_EQ(pick(pool, balance::mix(i)), first);
    ++counts[first];
  }
  EXPECT_EQ(counts.size(), 5U);
  EXPECT_FALSE(counts.contains('-'));
}

TEST_F(ChoosingTest, moves_only_the_clients_of_a_backend_that_is_down_and_back_exactly_those) {
  config_.balance = Balance::maglev;
  auto pool = make(std::vector<Wanted>(10));
  pool.update();
  std::vector<char> before;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    before.push_back(pick(pool, balance::mix(i)));
  }
  take_down("d");
  for (std::uint64_t i = 0; i < 2000; ++i) {
    const char now = pick(pool, balance::mix(i));
    EXPECT_TRUE(before[i] == 'd' ? now != 'd' : now == before[i]);
  }
  set_health(3, Health::up);
  for (std::uint64_t i = 0; i < 2000; ++i) {
    EXPECT_EQ(pick(pool, balance::mix(i)), before[i]);
  }
}

TEST_F(ChoosingTest, finds_the_only_maglev_backend_that_is_left_of_very_many) {
  config_.balance = Balance::maglev;
  auto pool = make(std::vector<Wanted>(200));
  pool.update();
  for (std::size_t i = 0; i < 200; ++i) {
    set_health(i, Health::down);
  }
  EXPECT_EQ(pool.pick({.client = 5}), nullptr);
  set_health(150, Health::up);
  for (std::uint64_t i = 0; i < 100; ++i) {
    EXPECT_EQ(pool.pick({.client = balance::mix(i)})->index, 150);
  }
}

TEST_F(ChoosingTest, has_maglev_follow_a_weight_that_changes) {
  config_.balance = Balance::maglev;
  auto pool = make({{}, {}});
  pool.update();
  entry(0).weight.set(3);
  pool.update();
  EXPECT_NEAR(count(pool, 4000)['a'], 3000, 120);
}

TEST_F(ChoosingTest, answers_for_maglev_before_there_is_a_table) {
  config_.balance = Balance::maglev;
  auto pool = make({{}, {}});
  EXPECT_EQ(picked(pool), "ab");
}

TEST_F(ChoosingTest, gives_a_backend_no_more_than_its_limit) {
  for (const auto balance : kAll) {
    config_.balance = balance;
    auto pool = make({{.max_connections = 2}, {.max_connections = 3}});
    pool.update();
    for (std::uint64_t i = 0; i < 5; ++i) {
      EXPECT_NE(pool.pick({.client = balance::mix(i), .now = kNow}), nullptr);
    }
    EXPECT_EQ(pool.pick({.now = kNow}), nullptr);
    EXPECT_EQ(entry(0).active.get(), 2U);
    EXPECT_EQ(entry(1).active.get(), 3U);
    pool.release(0);
    EXPECT_EQ(pool.pick({.now = kNow})->index, 0);
  }
}

TEST_F(ChoosingTest, does_not_spill_over_because_a_tier_is_full) {
  auto pool = make({{.tier = 0, .max_connections = 1}, {.tier = 1}});
  EXPECT_NE(pool.pick({}), nullptr);
  EXPECT_EQ(pool.pick({}), nullptr);
}

}  // namespace
}  // namespace holdfast::pool
