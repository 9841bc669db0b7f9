#include "config/health_rules.h"

#include <gmock/gmock.h>

#include <fstream>

#include "holdfast/base/temporary_directory.h"
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

std::string health(const std::string& keys) {
  return config_with({.pool = "health: { " + keys + " }"});
}

HealthConfig read(const std::string& keys) {
  const auto loaded = load_config(health(keys));
  EXPECT_TRUE(loaded.config) << keys;
  return loaded.config ? loaded.config->pools.at(0).health : HealthConfig();
}

TEST(Health, is_read_with_everything_that_a_type_takes) {
  const auto http = read(
      "type: http, method: HEAD, path: /up, host: www.example.org, status: '200,300-302', port: "
      "81, "
      "tls: { verify: false, sni: a.example.org }, interval: 4s, fast_interval: 1s, "
      "down_interval: 10s");
  EXPECT_EQ(http.type, CheckType::http);
  EXPECT_EQ(http.method, "HEAD");
  EXPECT_EQ(http.path, "/up");
  EXPECT_EQ(http.host, "www.example.org");
  EXPECT_EQ(http.status, (std::vector<StatusRange>{{200, 200}, {300, 302}}));
  EXPECT_EQ(http.port, 81U);
  EXPECT_FALSE(http.tls->verify);
  EXPECT_EQ(http.tls->sni, "a.example.org");
  EXPECT_EQ(http.fast_interval, std::chrono::seconds(1));
  EXPECT_EQ(http.down_interval, std::chrono::seconds(10));
  const auto redis = read(
      "type: send_expect, send: 'PING\\r\\n', expect: '\\x2bPONG', limit: 64KiB, "
      "address: 'unix:/run/redis.sock'");
  EXPECT_EQ(redis.send, "PING\r\n");
  EXPECT_EQ(redis.expect, "+PONG");
  EXPECT_EQ(redis.limit, 65'536U);
  EXPECT_EQ(redis.address->to_string(), "unix:/run/redis.sock");
  EXPECT_EQ(read("type: agent, send: \"hello\\n\", port: 9777").send, "hello\n");
}

TEST(Health, has_tls_switched_on_and_off_in_a_word) {
  EXPECT_TRUE(read("tls: on").tls->verify);
  EXPECT_FALSE(read("tls: off").tls);
  EXPECT_FALSE(read("").tls);
}

TEST(Health, is_told_which_type_takes_a_key_that_does_not_fit) {
  EXPECT_THAT(complaints_about("listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\n"
                               "pools:\n"
                               "- name: p\n"
                               "  health: { type: tcp, path: /up }\n"
                               "  backends: [{ name: x, address: \"127.0.0.1:81\" }]\n"),
              ElementsAre("4:24: error: 'path' doesn't fit health.type tcp | type http takes it"));
  EXPECT_THAT(messages_about(health("expect: a")),
              ElementsAre("error: 'expect' doesn't fit health.type tcp | type send_expect takes "
                          "it"));
  EXPECT_THAT(messages_about(health("type: http, send: a")),
              ElementsAre("error: 'send' doesn't fit health.type http | types send_expect and "
                          "agent take it"));
  EXPECT_THAT(messages_about(health("type: agent, port: 1, tls: on")),
              ElementsAre("error: 'tls' doesn't fit health.type agent | types tcp, http and "
                          "send_expect take it"));
}

TEST(Health, that_is_off_may_keep_its_keys) {
  EXPECT_THAT(
      messages_about(health("type: none, path: /up, timeout: 9s")),
      ElementsAre("warning: 'path' does nothing with health.type none | type http takes it: "
                  "write one of them, or remove it"));
}

TEST(Health, needs_something_to_expect) {
  EXPECT_THAT(messages_about(health("type: send_expect, send: a")),
              ElementsAre("error: health.type send_expect needs 'expect' | the bytes that a "
                          "healthy backend answers; type tcp expects none"));
  EXPECT_THAT(messages_about(health("type: send_expect, expect: 'abc', limit: 2B")),
              ElementsAre("error: 'expect' is longer than health.limit (2B) | raise 'limit': only "
                          "that much of the answer is looked at"));
  EXPECT_THAT(messages_about(health("type: send_expect, expect: ''")),
              ElementsAre("error: nothing stands here | write the bytes, or leave the key out"));
}

TEST(Health, wants_bytes_written_as_bytes) {
  EXPECT_THAT(
      messages_about(health("type: send_expect, expect: '\\q'")),
      ElementsAre("error: '\\q' is no escape; write \\r, \\n, \\t, \\0, \\\\ or \\x and two "
                  "hexadecimal digits"));
  EXPECT_THAT(messages_about(health("type: send_expect, expect: a, limit: 65KiB")),
              ElementsAre("error: '65KiB' is not between 1B and 64KiB"));
  EXPECT_THAT(messages_about(health("type: send_expect, expect: a, limit: 5")),
              ElementsAre("error: '5' needs a unit: B, KiB or MiB"));
}

TEST(Health, lets_nothing_into_a_request_that_would_make_two_of_it) {
  EXPECT_THAT(messages_about(health("type: http, path: \"/a HTTP/1.1\\r\\nX: y\"")).size(), 1U);
  EXPECT_THAT(messages_about(health("type: http, path: up")),
              ElementsAre("error: 'up' is not a path | it begins with '/' and has no spaces; write "
                          "%20 for one"));
  EXPECT_THAT(messages_about(health("type: http, host: \"a\\nb\"")).size(), 1U);
  EXPECT_THAT(messages_about(health("type: http, host: ''")).size(), 1U);
  EXPECT_THAT(messages_about(health("type: http, method: get")),
              ElementsAre("error: 'get' is not a method | as in GET, HEAD or OPTIONS"));
  EXPECT_THAT(messages_about(health("type: http, method: OPTIONS, path: '*'")), IsEmpty());
}

TEST(Health, finds_what_contradicts_itself) {
  EXPECT_THAT(messages_about(health("interval: 1s, fast_interval: 2s")),
              ElementsAre("warning: health.fast_interval (2s) is longer than health.interval (1s) "
                          "| changes are then noticed later, not sooner: write less than 1s"));
  EXPECT_THAT(messages_about(health("address: '127.0.0.1:1', port: 2")),
              ElementsAre("error: health.address has a port already | remove 'port', or write it "
                          "into 'address'"));
  EXPECT_THAT(messages_about(health("address: '127.0.0.1:0'")),
              ElementsAre("error: a check can't go to port 0 | write the port that answers it"));
  EXPECT_THAT(
      messages_about(health("tls: { verify: off, ca: /etc/ca.pem }")),
      ElementsAre("warning: 'ca' does nothing while 'verify' is off | write verify: true, or "
                  "remove it"));
  EXPECT_THAT(messages_about(health("tls: { sni: '10.0.0.1' }")),
              ElementsAre("error: '10.0.0.1' is not a host name | as in www.example.org (RFC 6066, "
                          "3)"));
  EXPECT_THAT(messages_about(health("tls: { ca: ca.pem }")),
              ElementsAre("error: 'ca.pem' is not an absolute path | as in "
                          "/etc/ssl/certs/ca-certificates.crt"));
  EXPECT_THAT(messages_about(health("tls: maybe")),
              ElementsAre("error: 'maybe' is neither on nor off | or a mapping of verify, sni and "
                          "ca"));
  EXPECT_THAT(messages_about(health("tls: { verify: maybe }")),
              ElementsAre("error: 'maybe' is neither true nor false"));
}

TEST(Health, points_to_the_interval_that_is_shorter_than_a_timeout_it_does_not_give) {
  EXPECT_THAT(complaints_about("listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\n"
                               "pools:\n"
                               "- name: p\n"
                               "  health: { interval: 500ms }\n"
                               "  backends: [{ name: x, address: \"127.0.0.1:81\" }]\n"),
              ElementsAre("4:13: warning: health.timeout (1s) is longer than health.interval "
                          "(500ms) | checks of a backend that is silent come as rarely as the "
                          "timeout: write timeout: 500ms or less"));
}

TEST(Health, asks_where_an_agent_is) {
  EXPECT_THAT(messages_about(health("type: agent")),
              ElementsAre("warning: health.type agent asks the port of the service itself | write "
                          "the agent's 'port', or its 'address'"));
  EXPECT_THAT(messages_about(health("type: agent, port: 9777")), IsEmpty());
  EXPECT_THAT(messages_about(health("type: agent, address: '127.0.0.1:9777'")), IsEmpty());
}

TEST(Health, has_one_thing_to_say_of_one_mistake) {
  EXPECT_THAT(messages_about(health("type: http, path: [a]")),
              ElementsAre("error: a single value is expected here"));
  EXPECT_THAT(messages_about(health("type: http, status: [200, 204]")),
              ElementsAre("error: a single value is expected here | as in 200,204,300-399, without "
                          "brackets"));
  EXPECT_THAT(messages_about(health("interval: 500ms, timeout: 1")),
              ElementsAre("error: '1' needs a unit: 1ms or 1s"));
  EXPECT_THAT(messages_about(health("interval: 1, timeout: 1m, fast_interval: 2m")),
              ElementsAre("error: '1' needs a unit: 1ms or 1s"));
  EXPECT_THAT(messages_about(config_with({.pool = "health: off"})),
              ElementsAre("error: health must be a mapping of keys to values | its keys are type, "
                          "interval, fast_interval, down_interval, timeout, rise, fall, port, "
                          "address, tls, send, expect, limit, method, path, host, status"));
}

TEST(Health, knows_that_a_unix_socket_has_neither_port_nor_name) {
  const auto at_socket = [](const std::string& keys) {
    return "listeners: [{ name: w, bind: \"127.0.0.1:80\", pool: p }]\n"
           "pools: [{ name: p, health: { " +
           keys + " }, backends: [{ name: x, address: \"unix:/run/x.sock\" }] }]\n";
  };
  EXPECT_THAT(messages_about(at_socket("port: 1")),
              ElementsAre("error: backend 'x' is a Unix socket, which has no ports | write "
                          "'address' to check it elsewhere"));
  EXPECT_THAT(messages_about(at_socket("tls: on")),
              ElementsAre("error: a Unix socket's certificate needs a name to be verified by | "
                          "write 'sni', or 'verify: false'"));
  EXPECT_THAT(messages_about(at_socket("tls: { sni: x.example.org }")), IsEmpty());
  EXPECT_THAT(messages_about(at_socket("tls: { verify: false }")), IsEmpty());
}

TEST(Health, looks_into_the_file_of_certificates_while_it_is_new_only) {
  const auto directory = TemporaryDirectory::make().value();
  const auto path = directory.file("ca.pem");
  const auto text = health("tls: { ca: " + path + " }");
  EXPECT_EQ(load_new_config(text).diagnostics.at(0).message,
            "cannot open " + path + ": no such file or directory");
  const auto column = load_new_config(text).diagnostics.at(0).mark.column;
  EXPECT_EQ(column, static_cast<int>(text.find(path) - text.find("pools:")) + 1);
  EXPECT_TRUE(load_config(text).config) << "what is in force goes on without it";
  std::ofstream(path) << "no certificate\n";
  EXPECT_EQ(load_new_config(text).diagnostics.at(0).message, path + " has no certificate in it");
  std::ofstream(path) << "-----BEGIN CERTIFICATE-----\n";
  EXPECT_TRUE(load_new_config(text).config);
}

TEST(Health, shows_what_a_reload_changes) {
  const auto before = *load_config(health("type: send_expect, expect: a")).config;
  const auto after =
      *load_config(health("type: send_expect, expect: 'a\\n', send: x, port: 5, fast_interval: 1s, "
                          "tls: { sni: b }"))
           .config;
  EXPECT_THAT(diff(before, after), ElementsAre("pool web: health.fast_interval as interval -> 1s",
                                               "pool web: health.port the backend's -> 5",
                                               "pool web: health.tls off -> verified, sni b",
                                               "pool web: health.send '' -> 'x'",
                                               "pool web: health.expect 'a' -> 'a\\n'"));
  EXPECT_THAT(diff(before, before), IsEmpty());
}

}  // namespace
}  // namespace holdfast
