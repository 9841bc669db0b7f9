#include "admin/routes.h"

#include <gmock/gmock.h>

#include "support/test_state.h"

namespace holdfast::admin {
namespace {

using ::testing::HasSubstr;
using testing::TestState;

class Routes : public ::testing::Test {
 protected:
  Response get(std::string_view path) { return route("GET", path, state_.shared(), "1.2.3"); }

  TestState state_;
};

TEST_F(Routes, metrics_are_prometheus_text) {
  const auto response = get("/metrics");

  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_THAT(response.body, HasSubstr("holdfast_build_info{version=\"1.2.3\"} 1\n"));
}

TEST_F(Routes, healthz_is_fine_in_every_phase) {
  for (const auto phase : {state::Phase::starting, state::Phase::serving, state::Phase::stopping}) {
    state_.set_phase(phase);
    EXPECT_EQ(get("/healthz").status, 200U);
    EXPECT_EQ(get("/healthz").body, "ok\n");
  }
}

TEST_F(Routes, readyz_says_yes_only_while_serving) {
  state_.set_phase(state::Phase::starting);
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_EQ(get("/readyz").body, "starting\n");

  state_.set_phase(state::Phase::serving);
  EXPECT_EQ(get("/readyz").status, 200U);
  EXPECT_EQ(get("/readyz").body, "ready\n");

  state_.set_phase(state::Phase::stopping);
  EXPECT_EQ(get("/readyz").status, 503U);
  EXPECT_EQ(get("/readyz").body, "stopping\n");
}

TEST_F(Routes, readyz_does_not_depend_on_the_backends) {
  state_.set_phase(state::Phase::serving);
  state_.add_pool("app");
  state_.set_health(state_.add_backend("app-1"), state::Health::down);

  EXPECT_EQ(get("/readyz").status, 200U);
}

TEST_F(Routes, the_root_says_what_there_is) {
  EXPECT_EQ(get("/").status, 200U);
  EXPECT_EQ(get("/").body, "holdfast 1.2.3: /metrics /healthz /readyz\n");
}

TEST_F(Routes, other_paths_are_not_found) {
  for (const auto* path : {"", "/metrics/", "/Metrics", "//metrics", "/metrics/../metrics",
                           "/healthz.html", "*", "http://other/metrics"}) {
    EXPECT_EQ(get(path).status, 404U) << path;
  }
}

TEST_F(Routes, a_head_is_answered_like_a_get) {
  state_.set_phase(state::Phase::serving);
  for (const auto* path : {"/metrics", "/healthz", "/readyz", "/nothing"}) {
    const auto head = route("HEAD", path, state_.shared(), "1.2.3");
    EXPECT_EQ(head.status, get(path).status) << path;
    EXPECT_EQ(head.body, get(path).body) << path;
  }
}

TEST_F(Routes, other_methods_are_not_allowed_anywhere) {
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    EXPECT_EQ(route(method, "/metrics", state_.shared(), "1.2.3").status, 405U) << method;
    EXPECT_EQ(route(method, "/nothing", state_.shared(), "1.2.3").status, 405U) << method;
  }
}

}  // namespace
}  // namespace holdfast::admin
