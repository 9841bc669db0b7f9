#include "holdfast/admin/routes.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "support/test_state.h"

namespace holdfast::admin {
namespace {

using ::testing::HasSubstr;
using testing::TestState;

class Routes : public ::testing::Test {
 protected:
  Response ask(std::string_view method, std::string_view path, bool may_change = false) {
    return route({.method = method, .path = path, .may_change = may_change},
                 {.shared = state_.shared(),
                  .version = "1.2.3",
                  .entries = entries_,
                  .operations = operations_});
  }
  Response get(std::string_view path) { return ask("GET", path); }

  std::mutex entries_;
  Operations operations_;

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
  EXPECT_EQ(get("/").body,
            "holdfast 1.2.3: /metrics, /healthz, /readyz, /api/v1/instance, /api/v1/events and "
            "/api/v1/backends\n");
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
    const auto head = ask("HEAD", path);
    EXPECT_EQ(head.status, get(path).status) << path;
    EXPECT_EQ(head.body, get(path).body) << path;
  }
}

TEST_F(Routes, other_methods_are_not_allowed_anywhere) {
  for (const auto* method : {"POST", "PUT", "DELETE", "OPTIONS", "get", ""}) {
    EXPECT_EQ(ask(method, "/metrics").status, 405U) << method;
    EXPECT_EQ(ask(method, "/nothing").status, 405U) << method;
  }
}

TEST_F(Routes, the_instance_says_who_serves) {
  auto& supervision = state_.shared().supervision;
  supervision.guardian_pid.set(11);
  supervision.worker_pid.set(12);
  state_.set_phase(state::Phase::serving);
  finish(supervision.upgrade, state::UpgradeResult::rolled_back,
         state::UpgradeFailure::not_executed, EACCES);

  const auto body = nlohmann::json::parse(get("/api/v1/instance").body);

  EXPECT_EQ(body["version"], "1.2.3");
  EXPECT_EQ(body["phase"], "serving");
  EXPECT_EQ(body["guardian_pid"], 11);
  EXPECT_EQ(body["worker_pid"], 12);
  EXPECT_EQ(body["last_upgrade"]["number"], 1);
  EXPECT_EQ(body["last_upgrade"]["result"], "rolled_back");
  EXPECT_EQ(body["last_upgrade"]["reason"], "it can't be executed: permission denied");
  EXPECT_GT(body["program"]["inode"], 0);
}

TEST_F(Routes, a_reload_answers_with_what_changed) {
  operations_.reload = [] {
    return worker::ReloadResult{.succeeded = true, .changes = {"threads 1 -> 2"}};
  };
  const auto response = ask("POST", "/api/v1/reload", true);
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(response.content_type, "application/json");
  EXPECT_EQ(nlohmann::json::parse(response.body)["changes"][0], "threads 1 -> 2");
}

TEST_F(Routes, a_failed_reload_answers_with_what_is_wrong_whatever_bytes_that_has) {
  operations_.reload = [] { return worker::ReloadResult{.messages = "line \xff"}; };
  const auto response = ask("POST", "/api/v1/reload", true);
  EXPECT_EQ(response.status, 422U);
  EXPECT_THAT(nlohmann::json::parse(response.body)["messages"].get<std::string>(),
              HasSubstr("line "));
}

TEST_F(Routes, a_reload_of_a_worker_that_is_ending_is_unavailable) {
  operations_.reload = []() -> std::optional<worker::ReloadResult> { return std::nullopt; };
  EXPECT_EQ(ask("POST", "/api/v1/reload", true).status, 503U);
}

TEST_F(Routes, a_reload_that_was_under_way_when_stopping_began_is_unavailable) {
  operations_.reload = [] {
    return worker::ReloadResult{.is_too_late = true, .messages = "holdfast is stopping\n"};
  };
  const auto response = ask("POST", "/api/v1/reload", true);
  EXPECT_EQ(response.status, 503U);
  EXPECT_EQ(nlohmann::json::parse(response.body)["messages"], "holdfast is stopping\n");
}

TEST_F(Routes, an_upgrade_that_is_refused_says_why) {
  operations_.upgrade = []() -> Result<void> { return fail("it hangs"); };
  const auto refused = ask("POST", "/api/v1/upgrade", true);
  EXPECT_EQ(refused.status, 422U);
  EXPECT_EQ(nlohmann::json::parse(refused.body)["reason"], "it hangs");
  operations_.upgrade = []() -> Result<void> { return {}; };
  EXPECT_EQ(ask("POST", "/api/v1/upgrade", true).status, 202U);
}

TEST_F(Routes, nothing_is_changed_but_over_the_control_socket_and_by_a_post) {
  for (const auto* path : {"/api/v1/reload", "/api/v1/upgrade"}) {
    EXPECT_EQ(ask("POST", path).status, 403U) << path;
    EXPECT_EQ(ask("GET", path).status, 403U) << path;
    EXPECT_EQ(ask("GET", path, true).status, 405U) << path;
  }
}

}  // namespace
}  // namespace holdfast::admin
