#include "config/validate.h"

#include <gmock/gmock.h>

#include "holdfast/config/load.h"
#include "support/config_text.h"

namespace holdfast {
namespace {

using testing::complaints_about;
using testing::config_with;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using testing::messages_about;

constexpr const char* kPool =
    "pools: [{ name: p, backends: [{ name: x, address: \"127.0.0.1:1\" }] }]\n";

std::string listeners(const std::string& items) {
  return "listeners:\n" + items + kPool;
}

std::string pools(const std::string& items) {
  return "listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\npools:\n" + items;
}

TEST(Validate, has_nothing_against_a_sound_configuration) {
  EXPECT_THAT(messages_about(config_with({})), IsEmpty());
}

TEST(Validate, finds_names_that_are_none) {
  const auto long_name = std::string(64, 'n');
  EXPECT_THAT(complaints_about(listeners("- { name: a b, bind: \"127.0.0.1:80\", pool: p }\n"
                                         "- { name: \"\", bind: \"127.0.0.1:81\", pool: p }\n"
                                         "- { name: é, bind: \"127.0.0.1:82\", pool: p }\n"
                                         "- { name: " +
                                         long_name + ", bind: \"127.0.0.1:83\", pool: p }\n")),
              ElementsAre("2:11: error: 'a b' is not a name | 1 to 63 letters, digits, '.', '_' "
                          "and '-'",
                          "3:11: error: '' is not a name | 1 to 63 letters, digits, '.', '_' and "
                          "'-'",
                          "4:11: error: 'é' is not a name | 1 to 63 letters, digits, '.', '_' "
                          "and '-'",
                          "5:11: error: '" + long_name +
                              "' is not a name | 1 to 63 letters, digits, '.', '_' and '-'"));
}

TEST(Validate, takes_every_character_and_length_a_name_may_have) {
  EXPECT_THAT(
      messages_about(listeners("- { name: az.AZ_09-, bind: \"127.0.0.1:80\", pool: p }\n"
                               "- { name: " +
                               std::string(63, 'n') + ", bind: \"127.0.0.1:81\", pool: p }\n")),
      IsEmpty());
}

TEST(Validate, finds_listeners_pools_and_backends_of_the_same_name) {
  EXPECT_THAT(
      complaints_about("listeners:\n"
                       "- { name: w, bind: \"127.0.0.1:80\", pool: p }\n"
                       "- { name: w, bind: \"127.0.0.1:81\", pool: p }\n"
                       "pools:\n"
                       "- { name: p, backends: [{ name: x, address: \"127.0.0.1:1\" }] }\n"
                       "- name: p\n"
                       "  backends:\n"
                       "  - { name: x, address: \"127.0.0.1:1\" }\n"
                       "  - { name: x, address: \"127.0.0.1:2\" }\n"),
      ElementsAre("3:11: error: listener 'w' exists already, in line 2 | give it another name",
                  "6:9: error: pool 'p' exists already, in line 5 | give it another name",
                  "9:13: error: backend 'x' exists already, in line 8 | give it another name"));
}

TEST(Validate, lets_two_pools_have_a_backend_of_the_same_name) {
  EXPECT_THAT(messages_about("listeners:\n"
                             "- { name: a, bind: \"127.0.0.1:80\", pool: a }\n"
                             "- { name: b, bind: \"127.0.0.1:81\", pool: b }\n"
                             "pools:\n"
                             "- { name: a, backends: [{ name: x, address: \"127.0.0.1:1\" }] }\n"
                             "- { name: b, backends: [{ name: x, address: \"127.0.0.1:1\" }] }\n"),
              IsEmpty());
}

TEST(Validate, finds_addresses_that_two_listeners_want) {
  EXPECT_THAT(
      complaints_about(listeners("- { name: a, bind: \"127.0.0.1:80\", pool: p }\n"
                                 "- { name: b, bind: [\"[::]:80\", \"0.0.0.0:80\"], pool: p }\n"
                                 "- { name: c, bind: \"unix:/run/c.sock\", pool: p }\n"
                                 "- { name: d, bind: \"unix:/run/c.sock\", pool: p }\n")),
      ElementsAre("3:32: error: 0.0.0.0:80 is taken already, in line 2",
                  "5:20: error: unix:/run/c.sock is taken already, in line 4"));
}

TEST(Validate, finds_a_listener_on_the_admin_address) {
  EXPECT_THAT(
      complaints_about(listeners("- { name: a, bind: \"127.0.0.1:9870\", pool: p }\n")),
      ElementsAre("2:20: error: 127.0.0.1:9870 is taken already, by admin.http's default | set "
                  "admin.http to another address or to off"));
  EXPECT_THAT(complaints_about("admin: { http: \"127.0.0.1:90\" }\n" +
                               listeners("- { name: a, bind: \"127.0.0.1:90\", pool: p }\n")),
              ElementsAre("3:20: error: 127.0.0.1:90 is taken already, in line 1"));
  EXPECT_THAT(messages_about("admin: { http: off }\n" +
                             listeners("- { name: a, bind: \"127.0.0.1:9870\", pool: p }\n")),
              IsEmpty());
}

TEST(Validate, lets_the_kernel_choose_any_number_of_ports) {
  EXPECT_THAT(messages_about(listeners("- { name: a, bind: \"127.0.0.1:0\", pool: p }\n"
                                       "- { name: b, bind: \"127.0.0.1:0\", pool: p }\n")),
              IsEmpty());
}

TEST(Validate, wants_a_numeric_admin_address) {
  EXPECT_THAT(
      complaints_about(config_with({.top = "admin: { http: \"localhost:9870\" }"})),
      ElementsAre("1:16: error: 'localhost' is not a numeric address | as in 127.0.0.1:9870"));
  EXPECT_THAT(messages_about(config_with({.top = "admin: { http: \"[::1]:9870\" }"})), IsEmpty());
}

TEST(Validate, wants_a_bind_address) {
  EXPECT_THAT(complaints_about(listeners("- { name: a, bind: [], pool: p }\n")),
              ElementsAre("2:20: error: 'bind' needs at least one address"));
}

TEST(Validate, knows_each_form_of_an_address) {
  EXPECT_THAT(messages_about(listeners("- { name: a, bind: [\"127.0.0.1:80\", \"[::1]:80\", "
                                       "\"unix:/run/a.sock\", \"localhost:81\"], pool: p }\n")),
              IsEmpty());
  EXPECT_THAT(
      messages_about(listeners(
          "- { name: a, bind: [\"80\", \":80\", \"::1:80\", \"[::1]\", \"[web]:80\", \"[::x]:80\", "
          "\"web:99999\", \"web:http\", \"w eb:80\", \"10.0.0.256:80\", \"unix:a.sock\"], "
          "pool: p }\n")),
      ElementsAre(
          "error: '80' is not an address: write host:port, [ipv6]:port or unix:/path",
          "error: ':80' is not an address: write host:port, [ipv6]:port or unix:/path",
          "error: '::1:80' is not an address: an IPv6 address is written with brackets, as in "
          "'[::1]:8080'",
          "error: '[::1]' is not an address: an IPv6 address is written with brackets and a port, "
          "as in '[::1]:8080'",
          "error: '[web]:80' is not an address: 'web' in brackets is not an IPv6 address",
          "error: '[::x]:80' is not an address: '::x' in brackets is not an IPv6 address",
          "error: 'web:99999' is not an address: port '99999' is not a number from 0 to 65535",
          "error: 'web:http' is not an address: port 'http' is not a number from 0 to 65535",
          "error: 'w eb:80' is not an address: 'w eb' is neither a host name nor an address",
          "error: '10.0.0.256:80' is not an address: '10.0.0.256' is not an IPv4 address",
          "error: 'unix:a.sock' is not an address: a Unix socket needs an absolute path, as in "
          "'unix:/run/app.sock'"));
}

TEST(Validate, finds_a_pool_that_is_not_there) {
  EXPECT_THAT(complaints_about(
                  "listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: wbe }]\n"
                  "pools: [{ name: web, backends: [{ name: x, address: \"127.0.0.1:1\" }] }]\n"),
              ElementsAre("1:52: error: there is no pool 'wbe' | did you mean 'web'?"));
}

TEST(Validate, warns_of_a_pool_that_nobody_uses) {
  EXPECT_THAT(
      complaints_about(pools("- { name: p, backends: [{ name: x, address: \"127.0.0.1:1\" }] }\n"
                             "- { name: q, backends: [{ name: x, address: \"127.0.0.1:1\" }] }\n")),
      ElementsAre("4:11: warning: no listener uses pool 'q' | write pool: q in a listener, or "
                  "remove it"));
}

TEST(Validate, says_nothing_of_pools_beside_a_name_that_cannot_be_read) {
  const std::string backends = ", backends: [{ name: x, address: \"127.0.0.1:1\" }] }]\n";
  EXPECT_THAT(messages_about("listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: web }]\n"
                             "pools: [{ name: [web]" +
                             backends),
              ElementsAre("error: a single value is expected here"));
  EXPECT_THAT(messages_about("listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: [web] }]\n"
                             "pools: [{ name: web" +
                             backends),
              ElementsAre("error: a single value is expected here"));
}

TEST(Validate, finds_a_backend_that_is_its_own_listener) {
  EXPECT_THAT(complaints_about(
                  "listeners: [{ name: w, bind: [\"[::1]:80\", \"127.0.0.1:80\"], pool: p }]\n" +
                  std::string("pools: [{ name: p, backends: "
                              "[{ name: x, address: \"127.0.0.1:80\" }] }]\n")),
              ElementsAre("2:51: error: backend 'x' is its own listener 'w': its connections would "
                          "go round in circles | write the address that the backend itself "
                          "listens on"));
}

TEST(Validate, finds_a_backend_without_a_port) {
  EXPECT_THAT(
      complaints_about(pools("- { name: p, backends: [{ name: x, address: \"127.0.0.1:0\" }] }\n")),
      ElementsAre("3:45: error: a backend can't have port 0 | write the port it listens on"));
}

TEST(Validate, warns_of_what_takes_no_connections) {
  EXPECT_THAT(
      complaints_about(pools("- { name: p, backends: [] }\n")),
      ElementsAre("3:24: warning: pool 'p' has no backends: it takes no connections | as in "
                  "{ name: p-1, address: \"10.0.0.11:8080\" }"));
  EXPECT_THAT(complaints_about(config_with({.backend = "weight: 0"})),
              ElementsAre("2:17: warning: all weights in pool 'web' are 0: it takes no "
                          "connections | write a weight from 1 to 1000 for one of its backends"));
  EXPECT_THAT(
      complaints_about("listeners: []\npools: []\n"),
      ElementsAre("1:12: warning: there are no listeners: nothing is balanced | as in { name: "
                  "web, bind: \"0.0.0.0:8080\", pool: web }"));
}

TEST(Validate, warns_of_checks_that_take_longer_than_their_interval) {
  EXPECT_THAT(
      complaints_about(config_with({.pool = "health: { timeout: 3s }"})),
      ElementsAre("2:97: warning: health.timeout (3s) is longer than health.interval (2s) | "
                  "checks of a backend that is silent come as rarely as the timeout: write "
                  "timeout: 2s or less"));
  EXPECT_THAT(complaints_about(config_with({.pool = "health: { interval: 500ms }"})).size(), 1U);
  EXPECT_THAT(messages_about(config_with({.pool = "health: { timeout: 2s }"})), IsEmpty());
  EXPECT_THAT(messages_about(config_with({.pool = "health: { timeout: 3s, type: none }"})),
              IsEmpty());
}

TEST(Validate, warns_of_more_attempts_than_backends) {
  EXPECT_THAT(messages_about(config_with({.pool = "connect: { attempts: 2 }"})),
              ElementsAre("warning: connect.attempts is more than the pool's 1 backend | no "
                          "backend is tried twice for one connection; write 1 at most"));
  EXPECT_THAT(messages_about(config_with({.pool = "connect: { attempts: 1 }"})), IsEmpty());
}

TEST(Validate, a_warning_refuses_nothing) {
  const auto loaded = load_config(config_with({.backend = "weight: 0"}));

  EXPECT_EQ(loaded.diagnostics.size(), 1U);
  EXPECT_TRUE(loaded.config);
}

std::string pool_of(const std::string& name, unsigned backends) {
  std::string text = "- name: " + name + "\n  backends:\n";
  for (unsigned i = 0; i < backends; ++i) {
    text += "  - { name: b" + std::to_string(i) + ", address: \"127.0.0.1:1\" }\n";
  }
  return text;
}

TEST(Validate, counts_the_backends_of_all_pools_together) {
  const std::string two_listeners =
      "listeners:\n- { name: w, bind: \"127.0.0.1:80\", pool: p }\n"
      "- { name: v, bind: \"127.0.0.1:81\", pool: q }\npools:\n";

  EXPECT_THAT(messages_about(two_listeners + pool_of("p", 4095) + pool_of("q", 1)), IsEmpty());
  EXPECT_THAT(messages_about(two_listeners + pool_of("p", 4095) + pool_of("q", 2)),
              ElementsAre("error: there are more than 4096 backends"));
}

TEST(Validate, limits_the_length_of_every_list) {
  std::string binds;
  for (int i = 0; i < 65; ++i) {
    binds += "\"127.0.0.1:" + std::to_string(1000 + i) + "\", ";
  }
  std::string many_listeners;
  for (int i = 0; i < 257; ++i) {
    many_listeners += "- { name: w" + std::to_string(i) +
                      ", bind: \"127.0.0.1:" + std::to_string(1000 + i) + "\", pool: p }\n";
  }
  std::string many_pools = pool_of("p", 1);
  for (int i = 0; i < 256; ++i) {
    many_pools += pool_of("p" + std::to_string(i), 0);
  }

  EXPECT_THAT(messages_about(listeners("- { name: a, bind: [" + binds + "], pool: p }\n")),
              ElementsAre("error: bind has more than 64 entries"));
  EXPECT_THAT(messages_about(listeners(many_listeners)),
              ElementsAre("error: listeners has more than 256 entries"));
  EXPECT_THAT(messages_about(pools(many_pools)),
              ::testing::Contains("error: pools has more than 256 entries"));
  EXPECT_THAT(messages_about(pools(pool_of("p", 4097))),
              ElementsAre("error: backends has more than 4096 entries"));
}

}  // namespace
}  // namespace holdfast
