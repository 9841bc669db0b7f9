#include <gmock/gmock.h>

#include "holdfast/config/diff.h"
#include "holdfast/config/load.h"
#include "support/config_text.h"

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::messages_about;

// The keys of connecting, in a pool of so many backends.
std::string pool_with(const std::string& keys, int backends = 3) {
  std::string text =
      "listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\npools: [{ name: p, " + keys +
      ", backends: [";
  for (int number = 1; number <= backends; ++number) {
    text += "{ name: w-" + std::to_string(number) + ", address: \"127.0.0.1:900" +
            std::to_string(number) + "\" }, ";
  }
  return text + "] }]\n";
}

PoolConfig read(const std::string& keys) {
  const auto loaded = load_config(pool_with(keys));
  EXPECT_TRUE(loaded.config) << keys;
  EXPECT_THAT(loaded.diagnostics, IsEmpty()) << keys;
  return loaded.config ? loaded.config->pools.at(0) : PoolConfig();
}

TEST(ConnectingKeys, are_read) {
  const auto pool = read(
      "connect: { timeout: 2s, total: 5s, hedge_after: 40ms }, "
      "passive: { failures: 5, eject_for: 3s, max_ejected: 30% }, replay: { up_to: 8KiB }");
  EXPECT_EQ(pool.connect.total, seconds(5));
  EXPECT_EQ(pool.connect.hedge_after, milliseconds(40));
  EXPECT_TRUE(pool.passive.is_on);
  EXPECT_EQ(pool.passive.failures, 5U);
  EXPECT_EQ(pool.passive.eject_for, seconds(3));
  EXPECT_EQ(pool.passive.max_ejected, 30U);
  EXPECT_EQ(pool.replay.up_to, 8192U);
}

TEST(ConnectingKeys, have_these_defaults) {
  const auto pool = read("balance: round_robin");
  EXPECT_EQ(pool.connect.total, seconds(3));
  EXPECT_FALSE(pool.connect.hedge_after) << "auto";
  EXPECT_TRUE(pool.passive.is_on);
  EXPECT_EQ(pool.replay.up_to, 0U);
}

TEST(ConnectingKeys, can_be_turned_off_in_a_word) {
  const auto pool = read("connect: { hedge_after: off }, passive: off, replay: off");
  EXPECT_EQ(pool.connect.hedge_after, milliseconds(0));
  EXPECT_FALSE(pool.passive.is_on);
  EXPECT_EQ(pool.replay.up_to, 0U);
  EXPECT_FALSE(read("connect: { hedge_after: auto }").connect.hedge_after);
}

TEST(ConnectingKeys, leave_one_attempt_its_whole_timeout_where_no_total_is_given) {
  EXPECT_EQ(read("connect: { timeout: 10s }").connect.total, seconds(10));
}

TEST(ConnectingKeys, are_refused_out_of_range) {
  EXPECT_THAT(messages_about(pool_with("replay: { up_to: 65KiB }")),
              ElementsAre("error: '65KiB' is not between 1B and 64KiB | as in 16KiB, or write "
                          "replay: off"));
  EXPECT_THAT(messages_about(pool_with("replay: { up_to: 16 }")),
              ElementsAre("error: '16' needs a unit: B, KiB or MiB | as in 16KiB, or write "
                          "replay: off"));
  EXPECT_THAT(messages_about(pool_with("passive: { failures: 0 }")),
              ElementsAre("error: '0' is not a whole number from 1 to 1000 | where nothing is to "
                          "be ejected, write passive: off"));
  EXPECT_THAT(messages_about(pool_with("passive: { max_ejected: 0% }")),
              ElementsAre("error: '0%' is not a percentage from 1% to 100% | where nothing is to "
                          "be ejected, write passive: off"));
  EXPECT_THAT(messages_about(pool_with("passive: { max_ejected: 50 }")),
              ElementsAre("error: '50' is not a percentage from 1% to 100% | write 50%"));
  EXPECT_THAT(messages_about(pool_with("passive: { eject_for: 0s }")),
              ElementsAre("error: '0s' is not between 10ms and 24h | where nothing is to be "
                          "ejected, write passive: off"));
  EXPECT_THAT(messages_about(pool_with("passive: on")),
              ElementsAre("error: passive must be a mapping of keys to values | its keys are "
                          "failures, eject_for, max_ejected"));
  EXPECT_THAT(messages_about(pool_with("connect: { hedge_after: 0ms }")),
              ElementsAre("error: '0ms' is not between 1ms and 24h | or write auto, or off"));
}

TEST(ConnectingKeys, that_contradict_each_other_are_warned_of) {
  EXPECT_THAT(
      messages_about(pool_with("connect: { timeout: 2s, total: 1s }")),
      ElementsAre("warning: connect.total (1s) is shorter than connect.timeout (2s) | no "
                  "attempt has its whole timeout; write a longer total or a shorter timeout"));
  EXPECT_THAT(messages_about(pool_with("connect: { timeout: 1s, hedge_after: 1s }")),
              ElementsAre("warning: connect.hedge_after (1s) isn't shorter than connect.timeout "
                          "(1s) | an attempt has ended before a second one could race it; write "
                          "'off' if that is meant"));
  EXPECT_THAT(messages_about(pool_with("connect: { attempts: 1, hedge_after: 50ms }")),
              ElementsAre("warning: connect.hedge_after has no effect: connect.attempts is 1 | a "
                          "second connect that races the first is an attempt; write attempts: 2 or "
                          "more"));
}

TEST(ConnectingKeys, that_need_another_backend_are_warned_of_where_there_is_none) {
  EXPECT_THAT(messages_about(pool_with("passive: { failures: 2 }", 1)),
              ElementsAre("warning: passive has no effect: the pool has one backend | a backend is "
                          "only taken out while another one serves; add one, or write 'off'"));
  EXPECT_THAT(messages_about(pool_with("connect: { hedge_after: 50ms }", 1)),
              ElementsAre("warning: connect.hedge_after has no effect: the pool has one backend | "
                          "a second connect goes to another backend; add one, or write 'off'"));
  EXPECT_THAT(messages_about(pool_with("connect: { attempts: 2 }", 1)),
              ElementsAre("warning: connect.attempts is more than the pool's 1 backend | no "
                          "backend is tried twice for one connection; write 1 at most"));
  EXPECT_THAT(messages_about(pool_with("replay: { up_to: 1KiB }", 1)),
              ElementsAre("warning: replay has no effect: the pool has one backend | what a client "
                          "has sent goes to another backend, which is another attempt"));
}

TEST(ConnectingKeys, show_what_a_reload_changes) {
  const auto before = load_config(pool_with("balance: round_robin")).config.value();
  const auto after = load_config(pool_with("connect: { hedge_after: off }, passive: off, "
                                           "replay: { up_to: 16KiB }"))
                         .config.value();
  EXPECT_THAT(diff(before, after),
              ElementsAre("pool p: connect.hedge_after auto -> off", "pool p: passive on -> off",
                          "pool p: replay off -> up_to 16KiB"));
}

}  // namespace
}  // namespace holdfast
