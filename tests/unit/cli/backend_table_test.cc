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

TEST(BackendTable, has_headings_when_there_are_none) {
  EXPECT_EQ(backend_table(Json::array()),
            "BACKEND  ADDRESS  TIER  HEALTH  STATE  WEIGHT  CONNECTIONS  SET BY  SET AT\n");
}

}  // namespace
}  // namespace holdfast::cli
