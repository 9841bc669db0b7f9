#include "config/yaml.h"

#include <gmock/gmock.h>

#include "support/config_text.h"

namespace holdfast {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::config_with;
using ::testing::ElementsAre;
using testing::Fragments;
using ::testing::IsEmpty;
using testing::messages_about;
using ::testing::Not;

Config parse(std::string_view text) {
  Diagnostics diagnostics;
  auto config = parse_yaml(text, diagnostics);
  EXPECT_EQ(render(diagnostics, "config", text), "");
  return config;
}

TEST(Yaml, fills_in_the_defaults) {
  const auto config = parse(config_with({}));

  EXPECT_EQ(config.threads, std::nullopt);
  EXPECT_EQ(config.max_connections, std::nullopt);
  EXPECT_EQ(config.shutdown_timeout, seconds(30));
  EXPECT_EQ(config.log.level, LogLevel::info);
  EXPECT_EQ(config.log.connections, ConnectionLog::failed);
  ASSERT_TRUE(config.admin.http);
  EXPECT_EQ(config.admin.http->to_string(), "127.0.0.1:9870");
  const auto& listener = config.listeners.at(0);
  EXPECT_EQ(listener.idle_timeout, hours(1));
  EXPECT_EQ(listener.half_close_timeout, seconds(30));
  const auto& pool = config.pools.at(0);
  EXPECT_EQ(pool.balance, Balance::round_robin);
  EXPECT_EQ(pool.connect.timeout, seconds(1));
  EXPECT_EQ(pool.connect.attempts, 3U);
  EXPECT_EQ(pool.health.type, CheckType::tcp);
  EXPECT_EQ(pool.health.interval, seconds(2));
  EXPECT_EQ(pool.health.timeout, seconds(1));
  EXPECT_EQ(pool.health.rise, 2U);
  EXPECT_EQ(pool.health.fall, 3U);
  EXPECT_EQ(pool.backends.at(0).weight, 1U);
}

TEST(Yaml, reads_every_key) {
  const auto config = parse(R"(
threads: 3
max_connections: 5000
shutdown_timeout: 0s
log: { level: debug, connections: all }
admin: { http: "[::1]:9999" }
listeners:
  - name: web
    bind: "0.0.0.0:80"
    pool: app
    idle_timeout: 720h
    half_close_timeout: 1ms
pools:
  - name: app
    balance: least_connections
    connect: { timeout: 250ms, attempts: 8 }
    health: { type: none, interval: 10ms, timeout: 24h, rise: 1, fall: 100 }
    backends:
      - { name: app-1, address: "db.example.org:5432", weight: 1000 }
      - { name: app-2, address: "unix:/run/app.sock", weight: 0 }
)");

  EXPECT_EQ(config.threads, 3U);
  EXPECT_EQ(config.max_connections, 5000U);
  EXPECT_EQ(config.shutdown_timeout, seconds(0));
  EXPECT_EQ(config.log.level, LogLevel::debug);
  EXPECT_EQ(config.log.connections, ConnectionLog::all);
  EXPECT_EQ(config.admin.http->to_string(), "[::1]:9999");
  const auto& listener = config.listeners.at(0);
  EXPECT_EQ(listener.name, "web");
  EXPECT_EQ(listener.bind.at(0).endpoint.to_string(), "0.0.0.0:80");
  EXPECT_EQ(listener.pool, "app");
  EXPECT_EQ(listener.idle_timeout, hours(720));
  EXPECT_EQ(listener.half_close_timeout, milliseconds(1));
  const auto& pool = config.pools.at(0);
  EXPECT_EQ(pool.name, "app");
  EXPECT_EQ(pool.balance, Balance::least_connections);
  EXPECT_EQ(pool.connect.timeout, milliseconds(250));
  EXPECT_EQ(pool.connect.attempts, 8U);
  EXPECT_EQ(pool.health.type, CheckType::none);
  EXPECT_EQ(pool.health.interval, milliseconds(10));
  EXPECT_EQ(pool.health.timeout, hours(24));
  EXPECT_EQ(pool.health.rise, 1U);
  EXPECT_EQ(pool.health.fall, 100U);
  EXPECT_EQ(pool.backends.at(0).name, "app-1");
  EXPECT_EQ(pool.backends.at(0).address.host, "db.example.org");
  EXPECT_EQ(pool.backends.at(0).address.port, 5432);
  EXPECT_EQ(pool.backends.at(0).weight, 1000U);
  EXPECT_EQ(pool.backends.at(1).address.path, "/run/app.sock");
  EXPECT_EQ(pool.backends.at(1).weight, 0U);
}

TEST(Yaml, reads_words_for_no_number_and_no_address) {
  const auto config =
      parse(config_with({.top = "threads: auto\nmax_connections: auto\nadmin: { http: off }"}));

  EXPECT_EQ(config.threads, std::nullopt);
  EXPECT_EQ(config.max_connections, std::nullopt);
  EXPECT_EQ(config.admin.http, std::nullopt);
}

TEST(Yaml, reads_one_bind_address_or_a_list_with_their_places) {
  const auto config = parse(R"(listeners:
  - { name: a, bind: "unix:/run/a.sock", pool: p }
  - name: b
    bind:
      - "0.0.0.0:80"
      - "[::]:80"
    pool: p
pools: [{ name: p, backends: [{ name: x, address: "127.0.0.1:1" }] }]
)");

  ASSERT_EQ(config.listeners.at(0).bind.size(), 1U);
  EXPECT_EQ(config.listeners[0].bind[0].endpoint.kind, Endpoint::Kind::unix_path);
  EXPECT_EQ(config.listeners[0].bind[0].mark.line, 2);
  ASSERT_EQ(config.listeners.at(1).bind.size(), 2U);
  EXPECT_EQ(config.listeners[1].bind[1].endpoint.to_string(), "[::]:80");
  EXPECT_EQ(config.listeners[1].bind[1].mark.line, 6);
  EXPECT_EQ(config.listeners[1].bind[1].mark.column, 9);
}

TEST(Yaml, says_what_yaml_it_is_not) {
  EXPECT_THAT(messages_about(""),
              ElementsAre("error: the file is empty | it needs 'listeners' and 'pools'; see the "
                          "samples in conf/"));
  EXPECT_THAT(messages_about("# a comment\n").size(), 1U);
  EXPECT_THAT(testing::complaints_about("a: b\n---\nc: d\n"),
              ElementsAre("2:1: error: a second document begins here | one file holds one "
                          "document"));
  EXPECT_THAT(testing::complaints_about("listeners: [\n"),
              ElementsAre("2:1: error: end of sequence flow not found"));
  EXPECT_THAT(testing::complaints_about("listeners: *nowhere\n"),
              ElementsAre("1:12: error: the referenced anchor is not defined"));
  EXPECT_THAT(testing::complaints_about("- a\n"),
              ElementsAre("1:1: error: the configuration must be a mapping of keys to values | its "
                          "keys are threads, max_connections, shutdown_timeout, watchdog, "
                          "max_checks, log, admin, listeners, pools"));
}

TEST(Yaml, comes_to_an_end_at_a_token_that_begins_nothing) {
  for (const auto* text : {",", ",,,", "a: b\n...\n,\n", "[a],", "? ,"}) {
    EXPECT_THAT(messages_about(text), Not(IsEmpty())) << text;
  }
}

TEST(Yaml, survives_nesting_without_end) {
  EXPECT_EQ(messages_about("listeners: " + std::string(200'000, '[')).size(), 1U);
}

// Which mapping each key belongs to, and what it may be.
struct Case {
  const char* name;
  Fragments fragments;
  std::string message;
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

class RefusedValue : public ::testing::TestWithParam<Case> {};

TEST_P(RefusedValue, is_the_only_complaint) {
  EXPECT_THAT(messages_about(config_with(GetParam().fragments)),
              ElementsAre("error: " + GetParam().message));
}

INSTANTIATE_TEST_SUITE_P(
    Yaml, RefusedValue,
    ::testing::Values(
        Case{"threads", {.top = "threads: 65"}, "'65' is not a whole number from 1 to 64"},
        Case{"threads_word", {.top = "threads: all"}, "'all' is not a whole number from 1 to 64"},
        Case{"max_connections",
             {.top = "max_connections: 10000001"},
             "'10000001' is not a whole number from 1 to 10000000"},
        Case{"shutdown_timeout",
             {.top = "shutdown_timeout: 25h"},
             "'25h' is not between 0s and 24h"},
        Case{"log_level",
             {.top = "log: { level: warn }"},
             "unknown value 'warn' | one of debug, info, warning, error"},
        Case{"log_connections",
             {.top = "log: { connections: fail }"},
             "unknown value 'fail' | one of none, failed, all"},
        Case{"log_key",
             {.top = "log: { file: x }"},
             "unknown key 'file' in log | one of level, connections"},
        Case{"admin_key",
             {.top = "admin: { htp: off }"},
             "unknown key 'htp' in admin | did you mean 'http'?"},
        Case{"top_key",
             {.top = "thread: 4"},
             "unknown key 'thread' in the configuration | did you mean 'threads'?"},
        Case{"idle_timeout",
             {.listener = "idle_timeout: 721h"},
             "'721h' is not between 1ms and 720h"},
        Case{"half_close_timeout",
             {.listener = "half_close_timeout: 0s"},
             "'0s' is not between 1ms and 720h"},
        Case{"listener_key",
             {.listener = "timeout: 1s"},
             "unknown key 'timeout' in listeners[0] | one of name, bind, pool, idle_timeout, "
             "half_close_timeout, user_timeout, keepalive, fastopen"},
        Case{"balance",
             {.pool = "balance: least_conections"},
             "unknown value 'least_conections' | did you mean 'least_connections'?"},
        Case{"connect_timeout",
             {.pool = "connect: { timeout: 0ms }"},
             "'0ms' is not between 1ms and 24h"},
        Case{"connect_attempts",
             {.pool = "connect: { attempts: 9 }"},
             "'9' is not a whole number from 1 to 8"},
        Case{"connect_key",
             {.pool = "connect: { retries: 2 }"},
             "unknown key 'retries' in connect | one of timeout, attempts, bind_source, total, "
             "hedge_after, user_timeout, keepalive, fastopen"},
        Case{"health_type",
             {.pool = "health: { type: htp }"},
             "unknown value 'htp' | did you mean 'http'?"},
        Case{"health_interval",
             {.pool = "health: { interval: 9ms, timeout: 1ms }"},
             "'9ms' is not between 10ms and 24h"},
        Case{"health_timeout", {.pool = "health: { timeout: 1 }"}, "'1' needs a unit: 1ms or 1s"},
        Case{"health_rise",
             {.pool = "health: { rise: 0 }"},
             "'0' is not a whole number from 1 to 100"},
        Case{"health_fall",
             {.pool = "health: { fall: 101 }"},
             "'101' is not a whole number from 1 to 100"},
        Case{"health_key",
             {.pool = "health: { intervall: 2s }"},
             "unknown key 'intervall' in health | did you mean 'interval'?"},
        Case{"pool_key",
             {.pool = "balancing: x"},
             "unknown key 'balancing' in pools[0] | did you mean 'balance'?"},
        Case{"pool_key_far",
             {.pool = "tls: on"},
             "unknown key 'tls' in pools[0] | one of name, balance, hash, min_healthy, "
             "panic_threshold, slow_start, queue, connect, passive, replay, health, on_down, "
             "on_up_from_lower_tier, backends"},
        Case{"weight", {.backend = "weight: 1001"}, "'1001' is not a whole number from 0 to 1000"},
        Case{"weight_sign", {.backend = "weight: -1"}, "'-1' is not a whole number from 0 to 1000"},
        Case{"backend_key",
             {.backend = "wieght: 2"},
             "unknown key 'wieght' in backends[0] | did you mean 'weight'?"}),
    [](const auto& instance) { return instance.param.name; });

}  // namespace
}  // namespace holdfast
