#include "config/socket_rules.h"

#include <gmock/gmock.h>

#include "holdfast/config/diff.h"
#include "holdfast/config/load.h"
#include "support/config_text.h"

namespace holdfast {
namespace {

using std::chrono::seconds;
using testing::complaints_about;
using testing::config_with;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::messages_about;

Config load(const testing::Fragments& fragments) {
  return load_config(config_with(fragments)).config.value();
}

std::string with_pool(const std::string& connect, const std::string& backends) {
  return "listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\n"
         "pools:\n"
         "- name: p\n"
         "  connect: { " +
         connect +
         " }\n"
         "  backends:\n" +
         backends;
}

TEST(SocketKeys, are_read) {
  const auto config = load({.listener = "user_timeout: 20s, fastopen: 64, "
                                        "keepalive: { idle: 1m, interval: 10s, count: 4 }",
                            .pool = "connect: { attempts: 1, bind_source: 127.0.0.9, "
                                    "user_timeout: off, keepalive: off, fastopen: on }"});
  const auto& listener = config.listeners[0].socket;
  EXPECT_EQ(listener.stream.user_timeout, seconds(20));
  EXPECT_EQ(listener.stream.keepalive.idle, seconds(60));
  EXPECT_EQ(listener.stream.keepalive.interval, seconds(10));
  EXPECT_EQ(listener.stream.keepalive.count, 4U);
  EXPECT_EQ(listener.fastopen, 64U);
  const auto& connect = config.pools[0].connect.socket;
  EXPECT_EQ(connect.source.endpoint().host, "127.0.0.9");
  EXPECT_EQ(connect.stream.user_timeout.count(), 0);
  EXPECT_FALSE(connect.stream.keepalive.on);
  EXPECT_TRUE(connect.fastopen);
}

TEST(SocketKeys, have_the_kernels_defaults_but_for_what_backends_may_leave_unacknowledged) {
  const auto config = load({});
  const auto& listener = config.listeners[0].socket;
  EXPECT_EQ(listener.stream.user_timeout.count(), 0);
  EXPECT_TRUE(listener.stream.keepalive.on);
  EXPECT_EQ(listener.stream.keepalive.idle.count(), 0);
  EXPECT_EQ(listener.fastopen, 0U);
  const auto& connect = config.pools[0].connect.socket;
  EXPECT_EQ(connect.source.size(), 0U);
  EXPECT_EQ(connect.stream.user_timeout, seconds(30));
  EXPECT_TRUE(connect.stream.keepalive.on);
  EXPECT_FALSE(connect.fastopen);
}

TEST(SocketKeys, say_what_may_be_written) {
  EXPECT_THAT(
      messages_about(config_with(
          {.listener = "keepalive: on, fastopen: on",
           .pool = "connect: { bind_source: web.example.org, fastopen: 3, user_timeout: off, "
                   "keepalive: { idle: 1500ms, interval: 10h, count: 128, every: 1s } }"})),
      ElementsAre("error: 'on' is neither off nor a mapping | as in { idle: 60s, interval: 10s, "
                  "count: 3 }",
                  "error: 'on' is not a whole number from 1 to 65535 | or write off",
                  "error: 'web.example.org' is not an address of this host | a numeric one without "
                  "a port, as in 10.0.0.1 or \"2001:db8::1\"",
                  "error: '3' is neither on nor off",
                  "error: '1500ms' is not a number of whole seconds | as in 15s",
                  "error: '10h' is not between 1s and 32767s",
                  "error: '128' is not a whole number from 1 to 127",
                  "error: unknown key 'every' in keepalive | one of idle, interval, count"));
  for (const auto* source : {"0.0.0.0", "\"::\"", "\"10.0.0.1:80\"", "unix:/run/x", "\"\""}) {
    EXPECT_THAT(messages_about(
                    config_with({.pool = std::string("connect: { bind_source: ") + source + " }"})),
                ::testing::SizeIs(1))
        << source;
  }
}

TEST(BindSource, must_fit_a_backend) {
  EXPECT_THAT(complaints_about(with_pool("bind_source: 10.0.0.1",
                                         "  - { name: x, address: \"[::1]:1\" }\n"
                                         "  - { name: y, address: \"unix:/run/y\" }\n")),
              ElementsAre("4:27: error: no backend of pool 'p' can be connected to from 10.0.0.1 | "
                          "write an address of the backends' kind, or remove bind_source"));
}

TEST(BindSource, that_fits_some_names_those_it_does_not_fit) {
  EXPECT_THAT(complaints_about(with_pool("bind_source: 10.0.0.1",
                                         "  - { name: x, address: \"10.0.0.2:1\" }\n"
                                         "  - { name: y, address: \"[::1]:1\" }\n")),
              ElementsAre("7:25: warning: bind_source 10.0.0.1 doesn't fit backend 'y' | it is "
                          "connected to from whatever address the kernel chooses"));
}

TEST(BindSource, may_fit_any_name) {
  EXPECT_THAT(complaints_about(with_pool("bind_source: \"2001:db8::1\"",
                                         "  - { name: x, address: \"web.example.org:1\" }\n")),
              IsEmpty());
}

TEST(UserTimeout, makes_the_number_of_probes_meaningless) {
  EXPECT_THAT(messages_about(config_with({.listener = "keepalive: { count: 3 }",
                                          .pool = "connect: { keepalive: { count: 3 } }"})),
              ElementsAre("warning: keepalive.count has no effect beside user_timeout (30s) | a "
                          "peer that answers no probe is given up after that time; write "
                          "user_timeout: off to have the probes counted"));
}

TEST(UserTimeout, is_not_shorter_than_a_connect_may_take) {
  EXPECT_THAT(
      complaints_about(with_pool("timeout: 40s", "  - { name: x, address: \"127.0.0.1:1\" }\n")),
      ElementsAre("4:23: warning: connect.timeout (40s) is longer than "
                  "connect.user_timeout (30s) | a connect is given up after the shorter "
                  "of them"));
}

TEST(Fastopen, to_backends_leaves_room_for_one_attempt_only) {
  EXPECT_THAT(
      complaints_about(with_pool("fastopen: on", "  - { name: x, address: \"127.0.0.1:1\" }\n")),
      ElementsAre("4:24: error: connect.fastopen needs connect.attempts to be 1, not 3 | "
                  "the client's first bytes leave with the connect, so that no other "
                  "backend can be tried after it: write attempts: 1, or fastopen: off"));
}

TEST(ListenerSockets, that_are_all_unix_have_none_of_it) {
  EXPECT_THAT(complaints_about("listeners:\n"
                               "- { name: w, bind: \"unix:/run/w\", pool: p,\n"
                               "    user_timeout: 5s, keepalive: off, fastopen: 5 }\n"
                               "pools: [{ name: p, backends: [{ name: x, address: "
                               "\"127.0.0.1:1\" }] }]\n"),
              ElementsAre("3:19: warning: user_timeout has no effect: listener 'w' has only Unix "
                          "sockets",
                          "3:34: warning: keepalive has no effect: listener 'w' has only Unix "
                          "sockets",
                          "3:49: warning: fastopen has no effect: listener 'w' has only Unix "
                          "sockets"));
}

TEST(SocketDiff, shows_what_changes) {
  const auto before = load({});
  const auto after = load({.listener = "user_timeout: 20s, fastopen: 64, keepalive: { idle: 1m }",
                           .pool = "connect: { attempts: 1, bind_source: 127.0.0.9, "
                                   "user_timeout: off, keepalive: off, fastopen: on }"});
  const auto changes = diff(before, after);
  EXPECT_THAT(
      changes,
      ElementsAre("listener web: user_timeout off -> 20s", "listener web: keepalive on -> idle 1m",
                  "listener web: fastopen off -> 64", "pool web: connect.attempts 3 -> 1",
                  "pool web: connect.bind_source none -> 127.0.0.9",
                  "pool web: connect.user_timeout 30s -> off",
                  "pool web: connect.keepalive on -> off", "pool web: connect.fastopen off -> on"));
}

}  // namespace
}  // namespace holdfast
