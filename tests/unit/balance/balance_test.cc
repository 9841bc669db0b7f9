#include "holdfast/balance/balance.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "holdfast/balance/hash.h"

namespace holdfast::balance {
namespace {

// Backends called a, b, c… with their weights, connections and turns.
class Backends {
 public:
  explicit Backends(std::vector<std::uint32_t> weights)
      : active(weights.size()), weights_(std::move(weights)), turns_(weights_.size()) {}

  // The names of those picked; every pick leaves out the `excluded`. With `staying`, each stays
  // as a connection.
  std::string pick(Balance algorithm, int times, std::string_view excluded = "",
                   bool staying = false) {
    std::string picked;
    for (int i = 0; i < times; ++i) {
      std::vector<Candidate> candidates;
      std::string names;
      for (std::size_t place = 0; place < weights_.size(); ++place) {
        const auto name = static_cast<char>('a' + place);
        if (excluded.find(name) == std::string_view::npos) {
          candidates.push_back(
              {weights_[place], active[place], &turns_[place], hash(std::string(1, name))});
          names += name;
        }
      }
      const auto place = balance::pick(algorithm, candidates, {client++, random});
      picked += place ? names.at(*place) : '-';
      if (place && staying) {
        ++active.at(static_cast<std::size_t>(picked.back() - 'a'));
      }
    }
    return picked;
  }

  std::vector<std::uint32_t> active;
  std::uint64_t client = 0;  // another one with every pick
  Random random{1};

 private:
  std::vector<std::uint32_t> weights_;
  std::vector<std::int64_t> turns_;
};

constexpr auto kRoundRobin = Balance::round_robin;
constexpr auto kLeastConnections = Balance::least_connections;
constexpr std::array kAll = {Balance::round_robin,  Balance::least_connections,
                             Balance::power_of_two, Balance::random,
                             Balance::first,        Balance::maglev};

int count(std::string_view picked, char name) {
  return static_cast<int>(std::count(picked.begin(), picked.end(), name));
}

TEST(Balance, picks_nobody_when_there_is_nobody) {
  for (const auto algorithm : kAll) {
    EXPECT_EQ(Backends({}).pick(algorithm, 2), "--");
  }
}

TEST(Balance, picks_the_only_one_there_is) {
  for (const auto algorithm : kAll) {
    EXPECT_EQ(Backends({3}).pick(algorithm, 4), "aaaa");
  }
}

TEST(RoundRobin, goes_round_among_equals) {
  EXPECT_EQ(Backends({1, 1, 1}).pick(kRoundRobin, 7), "abcabca");
  EXPECT_EQ(Backends({7, 7, 7}).pick(kRoundRobin, 7), "abcabca");
}

TEST(RoundRobin, spreads_a_heavy_backend_over_the_round) {
  EXPECT_EQ(Backends({5, 1, 1}).pick(kRoundRobin, 14), "aabacaaaabacaa");
}

TEST(RoundRobin, gives_each_its_weight_over_a_full_round) {
  Backends backends({3, 1, 4, 1, 5});
  const auto picked = backends.pick(kRoundRobin, 14 * 10);
  EXPECT_EQ(count(picked, 'a'), 30);
  EXPECT_EQ(count(picked, 'b'), 10);
  EXPECT_EQ(count(picked, 'c'), 40);
  EXPECT_EQ(count(picked, 'd'), 10);
  EXPECT_EQ(count(picked, 'e'), 50);
}

TEST(RoundRobin, stays_exact_with_the_largest_weights) {
  constexpr std::uint32_t kLargest = 0xffffffff;
  const auto picked = Backends({kLargest, kLargest}).pick(kRoundRobin, 1000);
  EXPECT_EQ(count(picked, 'a'), 500);
}

TEST(RoundRobin, pays_no_heed_to_connections) {
  Backends backends({1, 1});
  backends.active = {1000, 0};
  EXPECT_EQ(backends.pick(kRoundRobin, 4), "abab");
}

TEST(RoundRobin, is_fair_among_the_rest_while_one_is_left_out) {
  Backends backends({1, 1, 1});
  const auto picked = backends.pick(kRoundRobin, 100, "b");
  EXPECT_EQ(count(picked, 'a'), 50);
  EXPECT_EQ(count(picked, 'c'), 50);
}

TEST(RoundRobin, does_not_flood_a_backend_that_comes_back) {
  Backends backends({1, 1, 1});
  static_cast<void>(backends.pick(kRoundRobin, 100, "b"));
  const auto picked = backends.pick(kRoundRobin, 9);
  EXPECT_EQ(picked.find("bb"), std::string::npos) << picked;
  EXPECT_LE(count(picked, 'b'), 4) << picked;
}

TEST(RoundRobin, stays_fair_when_each_pick_leaves_out_somebody_else) {
  Backends backends({1, 1, 1});
  std::string picked;
  for (int i = 0; i < 100; ++i) {
    for (const auto* excluded : {"a", "b", "c"}) {
      picked += backends.pick(kRoundRobin, 1, excluded);
    }
  }
  for (const char name : {'a', 'b', 'c'}) {
    EXPECT_NEAR(count(picked, name), 100, 2) << name;
  }
}

TEST(RoundRobin, spreads_the_retries_of_a_dead_backend_evenly_over_the_rest) {
  Backends backends({1, 1, 1, 1});
  std::string served;
  for (int i = 0; i < 120; ++i) {
    auto picked = backends.pick(kRoundRobin, 1);
    if (picked == "b") {  // refuses: the client is tried elsewhere
      picked = backends.pick(kRoundRobin, 1, "b");
    }
    served += picked;
  }
  for (const char name : {'a', 'c', 'd'}) {
    EXPECT_EQ(count(served, name), 40) << name;
  }
}

TEST(LeastConnections, picks_the_one_with_fewest) {
  Backends backends({1, 1, 1});
  backends.active = {2, 1, 3};
  EXPECT_EQ(backends.pick(kLeastConnections, 2), "bb");
}

TEST(LeastConnections, fills_up_whoever_lags_behind_and_then_all_alike) {
  Backends backends({1, 1, 1});
  backends.active = {4, 0, 4};
  EXPECT_EQ(backends.pick(kLeastConnections, 4, "", true), "bbbb");
  static_cast<void>(backends.pick(kLeastConnections, 30, "", true));
  EXPECT_EQ(backends.active, (std::vector<std::uint32_t>{14, 14, 14}));
}

TEST(LeastConnections, weighs_connections_by_what_a_backend_can_take) {
  Backends backends({4, 1});
  static_cast<void>(backends.pick(kLeastConnections, 50, "", true));
  EXPECT_EQ(backends.active, (std::vector<std::uint32_t>{40, 10}));
}

TEST(LeastConnections, prefers_the_heavier_of_two_idle_backends) {
  EXPECT_EQ(Backends({1, 2}).pick(kLeastConnections, 3), "bbb");
}

TEST(LeastConnections, takes_turns_among_equals) {
  EXPECT_EQ(Backends({1, 1, 1}).pick(kLeastConnections, 6), "abcabc");
}

TEST(LeastConnections, takes_turns_among_those_who_are_least_only) {
  Backends backends({1, 1, 1});
  backends.active = {5, 0, 0};
  EXPECT_EQ(backends.pick(kLeastConnections, 4), "bcbc");
}

TEST(LeastConnections, compares_exactly_where_a_quotient_would_be_rounded) {
  Backends backends({3'000'000'000, 3'000'000'001});
  backends.active = {4'000'000'000, 4'000'000'000};
  EXPECT_EQ(backends.pick(kLeastConnections, 1), "b");
}

TEST(LeastConnections, leaves_out_who_is_left_out) {
  Backends backends({1, 1});
  backends.active = {0, 100};
  EXPECT_EQ(backends.pick(kLeastConnections, 2, "a"), "bb");
}

TEST(Random, gives_each_its_weight_in_the_long_run) {
  const auto picked = Backends({1, 2, 5}).pick(Balance::random, 80'000);
  EXPECT_NEAR(count(picked, 'a'), 10'000, 500);
  EXPECT_NEAR(count(picked, 'b'), 20'000, 700);
  EXPECT_NEAR(count(picked, 'c'), 50'000, 1000);
}

TEST(Random, comes_in_no_order) {
  const auto picked = Backends({1, 1}).pick(Balance::random, 10'000);
  EXPECT_NE(picked.find("aaaaa"), std::string::npos);
  EXPECT_NE(picked.find("bbbbb"), std::string::npos);
}

TEST(Random, is_the_same_again_from_the_same_state) {
  EXPECT_EQ(Backends({1, 1, 1}).pick(Balance::random, 50),
            Backends({1, 1, 1}).pick(Balance::random, 50));
}

TEST(PowerOfTwo, never_picks_the_most_loaded) {
  Backends backends({1, 1, 1});
  backends.active = {3, 9, 3};
  EXPECT_EQ(count(backends.pick(Balance::power_of_two, 1000), 'b'), 0);
}

TEST(PowerOfTwo, compares_loads_by_weight) {
  Backends backends({1, 10});
  backends.active = {2, 10};
  EXPECT_EQ(backends.pick(Balance::power_of_two, 4), "bbbb");
}

TEST(PowerOfTwo, shares_an_idle_pool_by_weight) {
  const auto picked = Backends({1, 3}).pick(Balance::power_of_two, 40'000);
  EXPECT_NEAR(count(picked, 'a'), 10'000, 500);
}

// With one choice the fullest of 100 would have about 35 of 2,000.
TEST(PowerOfTwo, keeps_backends_about_equally_full) {
  Backends backends(std::vector<std::uint32_t>(100, 1));
  for (int i = 0; i < 2000; ++i) {
    std::vector<Candidate> candidates;
    for (const auto active : backends.active) {
      candidates.push_back({1, active});
    }
    ++backends.active.at(*pick(Balance::power_of_two, candidates, {0, backends.random}));
  }
  EXPECT_LE(std::ranges::max(backends.active), 24U);
  EXPECT_GE(std::ranges::min(backends.active), 14U);
}

TEST(First, takes_the_first_that_may_be_used) {
  EXPECT_EQ(Backends({1, 5, 1}).pick(Balance::first, 3), "aaa");
  EXPECT_EQ(Backends({1, 5, 1}).pick(Balance::first, 3, "a"), "bbb");
}

TEST(Rendezvous, gives_each_its_weight) {
  const auto picked = Backends({1, 2, 5}).pick(Balance::maglev, 80'000);
  EXPECT_NEAR(count(picked, 'a'), 10'000, 500);
  EXPECT_NEAR(count(picked, 'b'), 20'000, 700);
  EXPECT_NEAR(count(picked, 'c'), 50'000, 1000);
}

TEST(Rendezvous, moves_nobody_but_the_clients_of_whom_is_left_out) {
  const auto before = Backends({1, 1, 1, 1}).pick(Balance::maglev, 1000);
  const auto after = Backends({1, 1, 1, 1}).pick(Balance::maglev, 1000, "b");
  for (std::size_t client = 0; client < before.size(); ++client) {
    EXPECT_TRUE(before[client] == 'b' || before[client] == after[client]) << client;
  }
  EXPECT_EQ(count(after, 'b'), 0);
}

}  // namespace
}  // namespace holdfast::balance
