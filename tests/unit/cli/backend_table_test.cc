#include "cli/backend_table.h"

#include <gtest/gtest.h>

namespace holdfast::cli {
namespace {

using Json = nlohmann::json;

TEST(BackendTable, has_a_line_for_each_under_its_headings) {
  const auto backends = Json::parse(R"([
    {"pool": "web", "name": "web-1", "address": "10.0.0.11:8080", "health": "up", "state": "ready",
     "set_by": null, "set_at_ms": null, "tier": 0, "weight": 1, "configured_weight": 1,
     "connections": 12},
    {"pool": "web", "name": "w2", "address": null, "health": "down", "state": "drain",
     "set_by": "anna", "set_at_ms": 1700000000000, "tier": 1, "weight": 5, "configured_weight": 2,
     "connections": 3}])");

  EXPECT_EQ(backend_table(backends),
            "BACKEND    ADDRESS         TIER  HEALTH  STATE  WEIGHT  CONNECTIONS  SET BY  SET AT\n"
            "web/web-1  10.0.0.11:8080  0     up      ready  1       12           -       -\n"
            "web/w2     -               1     down    drain  5 (2)   3            anna    "
            "2023-11-14T22:13:20Z\n");
}

TEST(BackendTable, shows_limits_and_for_how_long_a_backend_is_ejected) {
  const auto backends = Json::parse(R"([
    {"pool": "web", "name": "a", "address": "10.0.0.1:80", "health": "up", "state": "ready",
     "tier": 0, "weight": 1, "configured_weight": 1, "connections": 12, "max_connections": 100,
     "ejected": null},
    {"pool": "web", "name": "b", "address": "10.0.0.2:80", "health": "up", "state": "ready",
     "tier": 0, "weight": 1, "configured_weight": 1, "connections": 3, "max_connections": 0,
     "ejected": {"left_ms": 7001, "times": 2}},
    {"pool": "web", "name": "c", "address": "10.0.0.3:80", "health": "unknown", "state": "ready",
     "tier": 0, "weight": 1, "configured_weight": 1, "connections": 0, "max_connections": 0,
     "ejected": {"left_ms": 0, "times": 1}},
    {"pool": "web", "name": "d", "address": "10.0.0.4:80", "health": "down", "state": "ready",
     "tier": 0, "weight": 1, "configured_weight": 1, "connections": 0, "max_connections": 0,
     "ejected": {"left_ms": 9000, "times": 1}}])");

  EXPECT_EQ(backend_table(backends),
            "BACKEND  ADDRESS      TIER  HEALTH      STATE  WEIGHT  CONNECTIONS  SET BY  SET AT\n"
            "web/a    10.0.0.1:80  0     up          ready  1       12/100       -       -\n"
            "web/b    10.0.0.2:80  0     ejected 8s  ready  1       3            -       -\n"
            "web/c    10.0.0.3:80  0     ejected     ready  1       0            -       -\n"
            "web/d    10.0.0.4:80  0     down        ready  1       0            -       -\n");
}

TEST(BackendTable, shows_what_an_agent_asks_for) {
  const auto backends = Json::parse(R"([
    {"pool": "web", "name": "a", "address": "10.0.0.1:80", "health": "up", "state": "ready",
     "tier": 0, "weight": 10, "configured_weight": 10, "connections": 0,
     "agent": {"state": "ready", "weight_percent": 20}},
    {"pool": "web", "name": "b", "address": "10.0.0.2:80", "health": "up", "state": "ready",
     "tier": 0, "weight": 5, "configured_weight": 1, "connections": 0,
     "agent": {"state": "drain", "weight_percent": 50}},
    {"pool": "web", "name": "c", "address": "10.0.0.3:80", "health": "up", "state": "maint",
     "tier": 0, "weight": 1, "configured_weight": 1, "connections": 0,
     "agent": {"state": "drain", "weight_percent": 100}}])");

  EXPECT_EQ(
      backend_table(backends),
      "BACKEND  ADDRESS      TIER  HEALTH  STATE          WEIGHT        CONNECTIONS  SET BY  SET "
      "AT\n"
      "web/a    10.0.0.1:80  0     up      ready          10 at 20%     0            -       -\n"
      "web/b    10.0.0.2:80  0     up      drain (agent)  5 (1) at 50%  0            -       -\n"
      "web/c    10.0.0.3:80  0     up      maint          1             0            -       -\n");
}

TEST(BackendTable, has_headings_when_there_are_none) {
  EXPECT_EQ(backend_table(Json::array()),
            "BACKEND  ADDRESS  TIER  HEALTH  STATE  WEIGHT  CONNECTIONS  SET BY  SET AT\n");
}

}  // namespace
}  // namespace holdfast::cli
