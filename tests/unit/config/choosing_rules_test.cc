#include "config/choosing_rules.h"

#include <gmock/gmock.h>

#include "holdfast/config/diff.h"
#include "holdfast/config/load.h"
#include "support/config_text.h"

namespace holdfast {
namespace {

using testing::complaints_about;
using testing::config_with;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::messages_about;

// A pool with these backends, each its keys after name and address, one to a line from line 3 on.
std::string pool_of(const std::vector<std::string>& backends, const std::string& keys = "") {
  std::string text =
      "listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\npools: [{ name: p" + keys +
      ", backends: [\n";
  int number = 0;
  for (const auto& backend : backends) {
    const auto address = "127.0.0.1:" + std::to_string(9000 + ++number);
    text += "{ name: w-" + std::to_string(number) + ", address: \"" + address + "\"" +
            (backend.empty() ? "" : ", ") + backend + " },\n";
  }
  return text + "] }]\n";
}

TEST(ChoosingRules, has_nothing_against_what_fits) {
  EXPECT_THAT(messages_about(pool_of({"tier: 0, max_connections: 10", "tier: 0", "tier: 1"},
                                     ", balance: maglev, hash: { key: client_ip_port, table_size: "
                                     "251 }, min_healthy: 2, panic_threshold: 30%, slow_start: "
                                     "30s, queue: { size: 5, timeout: 1s }")),
              IsEmpty());
  EXPECT_THAT(
      messages_about(pool_of({"max_connections: off"}, ", slow_start: off, panic_threshold: 0%")),
      IsEmpty());
}

TEST(ChoosingRules, reads_what_is_written) {
  const auto config =
      load_config(pool_of({"tier: 0, max_connections: 10", "tier: 1"},
                          ", balance: maglev, hash: { key: client_ip_port, table_size: 251 }, "
                          "panic_threshold: 30%, slow_start: 30s, queue: { size: 5 }"))
          .config.value();
  const auto& pool = config.pools[0];
  EXPECT_EQ(pool.balance, Balance::maglev);
  EXPECT_EQ(pool.hash.key, HashKey::client_ip_port);
  EXPECT_EQ(pool.hash.table_size, 251U);
  EXPECT_EQ(pool.panic_threshold, 30U);
  EXPECT_EQ(pool.slow_start, std::chrono::seconds(30));
  EXPECT_EQ(pool.queue.size, 5U);
  EXPECT_EQ(pool.queue.timeout, std::chrono::seconds(5));
  EXPECT_EQ(pool.backends[0].max_connections, 10U);
  EXPECT_EQ(pool.backends[1].tier, 1U);
}

TEST(ChoosingRules, names_the_primes_beside_a_table_size_that_is_none) {
  EXPECT_THAT(complaints_about(pool_of({""}, ", balance: maglev, hash: { table_size: 65536 }")),
              ElementsAre("2:57: error: 65536 is not a prime number | write 65521 or 65537"));
  EXPECT_THAT(messages_about(pool_of({""}, ", balance: maglev, hash: { table_size: 5000010 }")),
              ElementsAre("error: 5000010 is not a prime number | write 4999999 or 5000011"));
  EXPECT_THAT(messages_about(pool_of({""}, ", balance: maglev, hash: { table_size: 1 }")),
              ElementsAre("error: '1' is not a whole number from 2 to 5000011"));
}

TEST(ChoosingRules, finds_a_table_that_is_smaller_than_its_pool) {
  EXPECT_THAT(messages_about(pool_of({"", "", ""}, ", balance: maglev, hash: { table_size: 2 }")),
              ElementsAre("error: a table of 2 has no place for 3 backends | a hundred times as "
                          "many are even to about 1 %: write a prime above 300"));
}

TEST(ChoosingRules, warns_of_a_hash_that_nobody_uses) {
  EXPECT_THAT(complaints_about(pool_of({""}, ", hash: { key: client_ip }")),
              ElementsAre("2:26: warning: only balance: maglev has a use for 'hash' | remove it, "
                          "or write balance: maglev"));
}

TEST(ChoosingRules, finds_a_hash_with_nothing_to_hash) {
  const std::string pool =
      "pools: [{ name: p, balance: maglev, backends: [{ name: x, address: \"127.0.0.1:1\" }] }]\n";
  EXPECT_THAT(
      complaints_about("listeners: [{ name: w, bind: \"unix:/run/w.sock\", pool: p }]\n" + pool),
      ElementsAre("2:29: error: pool 'p' has nothing to hash: clients of Unix sockets have no "
                  "address | choose another 'balance'"));
  EXPECT_THAT(
      complaints_about(
          "listeners: [{ name: w, bind: [\"unix:/run/w.sock\", \"127.0.0.1:80\"], pool: p }]\n" +
          pool),
      ElementsAre("2:29: warning: clients of Unix sockets have no address to hash: in pool 'p' "
                  "they are spread at random | choose another 'balance' if that isn't meant"));
}

TEST(ChoosingRules, warns_of_a_gap_between_tiers) {
  EXPECT_THAT(complaints_about(pool_of({"tier: 0", "tier: 2"})),
              ElementsAre("4:47: warning: pool 'p' has no backend in tier 1 | write tier: 1, or "
                          "give tier 1 a backend"));
  EXPECT_THAT(complaints_about(pool_of({"tier: 1", "tier: 1"})),
              ElementsAre("3:47: warning: pool 'p' has no backend in tier 0 | write tier: 0, or "
                          "give tier 0 a backend"));
}

TEST(ChoosingRules, warns_of_a_min_healthy_that_means_nothing) {
  EXPECT_THAT(messages_about(pool_of({"", ""}, ", min_healthy: 2")),
              ElementsAre("warning: min_healthy does nothing in a pool of one tier | give some "
                          "backends a tier: 1, or remove it"));
  EXPECT_THAT(messages_about(pool_of({"", "tier: 1"}, ", min_healthy: 2")),
              ElementsAre("warning: min_healthy is more than the 1 backend of tier 0: the next "
                          "tier is always in use | write 1 at most"));
}

TEST(ChoosingRules, warns_of_a_panic_threshold_where_no_backend_can_go_down) {
  const std::string no_checks = ", panic_threshold: 30%, health: { type: none }";
  const std::string wanted =
      "2:37: warning: panic_threshold does nothing: no backend of pool 'p' can go down | write "
      "health: { type: tcp }, or remove it";
  EXPECT_THAT(complaints_about(pool_of({"", ""}, no_checks + ", passive: off")),
              ElementsAre(wanted));
  // The only one is never ejected.
  EXPECT_THAT(complaints_about(pool_of({""}, no_checks)), ElementsAre(wanted));
  EXPECT_THAT(messages_about(pool_of({"", ""}, no_checks)), IsEmpty());
  EXPECT_THAT(messages_about(pool_of({"", ""}, ", panic_threshold: 30%, passive: off")), IsEmpty());
}

TEST(ChoosingRules, takes_a_name_for_what_can_go_down) {
  EXPECT_THAT(
      messages_about("listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\n"
                     "pools: [{ name: p, panic_threshold: 30%, health: { type: none }, passive: "
                     "off, backends: [{ name: x, address: \"db.example.org:1\" }] }]\n"),
      IsEmpty());
}

TEST(ChoosingRules, warns_of_a_slow_start_of_one_that_is_alone) {
  EXPECT_THAT(complaints_about(pool_of({""}, ", slow_start: 30s")),
              ElementsAre("2:32: warning: slow_start has no effect: the pool has one backend | one "
                          "that is alone gets everything; add another one, or remove it"));
  EXPECT_THAT(messages_about(pool_of({"", ""}, ", slow_start: 30s")), IsEmpty());
  EXPECT_THAT(messages_about(pool_of({""}, ", slow_start: off")), IsEmpty());
}

TEST(ChoosingRules, warns_of_a_queue_in_which_nobody_will_wait) {
  EXPECT_THAT(complaints_about(pool_of({""}, ", queue: { size: 5 }")),
              ElementsAre("2:27: warning: nobody will wait in this queue: no backend of pool 'p' "
                          "has max_connections | give backends a max_connections, or remove "
                          "'queue'"));
}

TEST(ChoosingRules, warns_of_limits_that_are_never_reached) {
  EXPECT_THAT(
      messages_about("max_connections: 10\n" +
                     pool_of({"max_connections: 11"}, ", queue: { size: 20 }")),
      ElementsAre("warning: this queue never fills: clients in it count for the top "
                  "level's max_connections (10) | write a smaller size, or raise the other",
                  "warning: max_connections 11 is never reached: there are never more than the 10 "
                  "connections of the top level's max_connections | write less, or raise "
                  "the other"));
}

TEST(ChoosingRules, wants_the_size_of_a_queue) {
  for (const auto* backend : {"max_connections: 1", ""}) {
    EXPECT_THAT(messages_about(pool_of({backend}, ", queue: { timeout: 1s }")),
                ElementsAre("error: 'size' is missing in queue"));
    EXPECT_THAT(messages_about(pool_of({backend}, ", queue: { size: 0 }")),
                ElementsAre("error: '0' is not a whole number from 1 to 1000000 | where nobody is "
                            "to wait, write queue: off"));
  }
  EXPECT_THAT(messages_about(pool_of({""}, ", queue: off")), IsEmpty());
}

TEST(ChoosingRules, says_what_stands_for_no_limit) {
  EXPECT_THAT(messages_about(pool_of({"max_connections: 0"})),
              ElementsAre("error: '0' is not a whole number from 1 to 10000000 | or write off for "
                          "no limit, or weight: 0 for no connections"));
  EXPECT_THAT(messages_about(pool_of({""}, ", slow_start: 0s")),
              ElementsAre("error: '0s' is not between 1ms and 24h | or write off"));
}

TEST(ChoosingRules, wants_percentages_to_be_written_as_such) {
  const auto said = [](const std::string& value) {
    return messages_about(pool_of({""}, ", panic_threshold: " + value));
  };
  EXPECT_THAT(said("50"),
              ElementsAre("error: '50' is not a percentage from 0% to 100% | write 50%"));
  for (const auto* wrong : {"101%", "-1%", "5.5%", "all"}) {
    EXPECT_THAT(said(wrong), ElementsAre("error: '" + std::string(wrong) +
                                         "' is not a percentage from 0% to 100% | as in 50%"));
  }
}

TEST(ChoosingRules, show_what_a_reload_changes) {
  const auto before = load_config(pool_of({""})).config.value();
  const auto after =
      load_config(pool_of({"tier: 0, max_connections: 7"},
                          ", balance: maglev, hash: { key: client_ip_port, table_size: 251 }, "
                          "panic_threshold: 30%, slow_start: 30s, queue: { size: 5 }"))
          .config.value();
  EXPECT_THAT(
      diff(before, after),
      ElementsAre("pool p: balance round_robin -> maglev",
                  "pool p: hash.key client_ip -> client_ip_port",
                  "pool p: hash.table_size 65537 -> 251", "pool p: panic_threshold 0% -> 30%",
                  "pool p: slow_start off -> 30s", "pool p: queue off -> 5 for 5s",
                  "pool p: backend w-1 max_connections off -> 7"));
}

}  // namespace
}  // namespace holdfast
