#include "admin/backends.h"

#include <gmock/gmock.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "support/test_state.h"

namespace holdfast::admin {
namespace {

using ::testing::HasSubstr;
using testing::TestState;
using worker::BackendChange;
using Kind = BackendChange::Kind;

class Backends : public ::testing::Test {
 protected:
  Backends() {
    state_.add_pool("web");
    first_ = state_.add_backend("web-1");
    second_ = state_.add_backend("web-2");
    operations_.change = [this](const BackendChange& change) {
      asked_ = change;
      return answer_;
    };
  }

  Response ask(std::string_view method, std::string_view path, std::string_view body = {},
               bool may_change = true) {
    return route({.method = method, .path = path, .may_change = may_change, .body = body},
                 {.shared = state_.shared(),
                  .version = "1.2.3",
                  .entries = entries_,
                  .operations = operations_});
  }
  Response post(std::string_view what, std::string_view body = {}) {
    return ask("POST", "/api/v1/backends/web/web-2/" + std::string(what), body);
  }
  nlohmann::json get(std::string_view path) {
    return nlohmann::json::parse(ask("GET", path, {}, false).body);
  }
  static std::string reason(const Response& response) {
    return nlohmann::json::parse(response.body).at("reason");
  }

  std::mutex entries_;
  Operations operations_;
  TestState state_;
  std::size_t first_ = 0;
  std::size_t second_ = 0;
  std::optional<BackendChange> asked_;
  std::optional<worker::ChangeResult> answer_ = std::vector<std::string>{"a line"};
};

TEST_F(Backends, are_listed_with_what_was_set_and_by_whom) {
  auto& admin = state_.shared().backends[second_].admin;
  admin.state.set(static_cast<std::uint32_t>(state::AdminState::drain));
  admin.set_by = state::to_author("anna");
  admin.set_at.set(1'700'000'000'000);
  state_.shared().backends[second_].active.set(3);
  state_.shared().backends[second_].tier.set(1);

  const auto all = get("/api/v1/backends").at("backends");

  ASSERT_EQ(all.size(), 2U);
  EXPECT_EQ(all[0].at("name"), "web-1");
  EXPECT_EQ(all[0].at("state"), "ready");
  EXPECT_TRUE(all[0].at("set_by").is_null());
  EXPECT_EQ(all[1].at("pool"), "web");
  EXPECT_EQ(all[1].at("state"), "drain");
  EXPECT_EQ(all[1].at("set_by"), "anna");
  EXPECT_EQ(all[1].at("set_at_ms"), 1'700'000'000'000);
  EXPECT_EQ(all[1].at("connections"), 3);
  EXPECT_EQ(all[0].at("tier"), 0);
  EXPECT_EQ(all[1].at("tier"), 1);
  EXPECT_TRUE(all[1].at("closing").is_null());
}

TEST_F(Backends, show_when_their_connections_will_be_closed) {
  auto& closing = state_.shared().backends[second_].admin.closing;
  closing.spread.set(6'000'000'000);
  closing.begins_at.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now()) - 1));
  const auto shown = get("/api/v1/backends/web/web-2").at("closing");
  EXPECT_EQ(shown.at("in_ms"), 0);
  EXPECT_EQ(shown.at("spread_ms"), 6000);
}

TEST_F(Backends, show_how_many_connections_they_may_have) {
  state_.shared().backends[second_].max_connections.set(100);
  EXPECT_EQ(get("/api/v1/backends/web/web-1").at("max_connections"), 0);
  EXPECT_EQ(get("/api/v1/backends/web/web-2").at("max_connections"), 100);
}

TEST_F(Backends, show_that_they_are_ejected_for_how_long_and_how_often_in_a_row) {
  auto& ejection = state_.shared().backends[second_].ejection;
  ejection.until.set(
      static_cast<std::uint64_t>(to_nanoseconds(Clock::now() + std::chrono::hours(1))));
  ejection.times.set(3);
  EXPECT_TRUE(get("/api/v1/backends/web/web-2").at("ejected").is_null());

  ejection.state.set(static_cast<std::uint32_t>(state::EjectionState::ejected));
  const auto shown = get("/api/v1/backends/web/web-2").at("ejected");
  EXPECT_GT(shown.at("left_ms"), 0);
  EXPECT_LE(shown.at("left_ms"), 3'600'000);
  EXPECT_EQ(shown.at("times"), 3);

  // The time of one on trial is that of the trial.
  ejection.state.set(static_cast<std::uint32_t>(state::EjectionState::on_trial));
  EXPECT_EQ(get("/api/v1/backends/web/web-2").at("ejected").at("left_ms"), 0);
}

TEST_F(Backends, show_what_their_agents_ask_for) {
  EXPECT_TRUE(get("/api/v1/backends/web/web-2").at("agent").is_null());
  auto& agent = state_.shared().backends[second_].agent;
  agent.state.set(static_cast<std::uint32_t>(state::AgentState::drain));
  agent.set_percent(25);
  const auto shown = get("/api/v1/backends/web/web-2").at("agent");
  EXPECT_EQ(shown.at("state"), "drain");
  EXPECT_EQ(shown.at("weight_percent"), 25);
}

TEST_F(Backends, that_are_removed_are_listed_as_long_as_they_have_connections) {
  auto& entry = state_.shared().backends[second_];
  entry.retired.set(1);
  entry.active.set(1);
  EXPECT_EQ(get("/api/v1/backends/web/web-2").at("state"), "removed");
  entry.active.set(0);
  EXPECT_EQ(get("/api/v1/backends").at("backends").size(), 1U);
}

TEST_F(Backends, that_are_not_there_are_answered_with_those_that_may_be_meant) {
  const auto response = ask("GET", "/api/v1/backends/web/web-22");
  EXPECT_EQ(response.status, 404U);
  EXPECT_EQ(reason(response), "there is no backend 'web/web-22': did you mean 'web/web-2'?");
}

TEST_F(Backends, are_changed_as_the_body_says) {
  const auto response =
      post("drain", R"({"by": "anna", "close_after_ms": 300000, "spread_ms": 5000})");
  EXPECT_EQ(response.status, 200U);
  EXPECT_EQ(nlohmann::json::parse(response.body).at("changes"), nlohmann::json({"a line"}));
  ASSERT_TRUE(asked_);
  EXPECT_EQ(asked_->kind, Kind::drain);
  EXPECT_EQ(asked_->pool, "web");
  EXPECT_EQ(asked_->backend, "web-2");
  EXPECT_EQ(asked_->by, "anna");
  EXPECT_EQ(asked_->close_after, std::chrono::minutes(5));
  EXPECT_EQ(asked_->spread, std::chrono::seconds(5));
}

TEST_F(Backends, need_no_body_where_there_is_nothing_to_say) {
  EXPECT_EQ(post("ready").status, 200U);
  EXPECT_EQ(asked_->kind, Kind::ready);
  EXPECT_EQ(asked_->by, "api");
  EXPECT_EQ(asked_->close_after, std::nullopt);
}

TEST_F(Backends, are_given_a_weight_or_an_address) {
  EXPECT_EQ(post("weight", R"({"weight": 7})").status, 200U);
  EXPECT_EQ(asked_->weight, 7U);
  EXPECT_EQ(post("add", R"({"address": "10.0.0.2:80", "weight": 3})").status, 200U);
  EXPECT_EQ(asked_->address, "10.0.0.2:80");
  EXPECT_EQ(asked_->weight, 3U);
}

TEST_F(Backends, are_added_with_a_tier_and_a_limit) {
  EXPECT_EQ(post("add", R"({"address": "10.0.0.2:80"})").status, 200U);
  EXPECT_EQ(asked_->tier, 0U);
  EXPECT_EQ(asked_->max_connections, 0U);
  EXPECT_EQ(post("add", R"({"address": "10.0.0.2:80", "tier": 2, "max_connections": 50})").status,
            200U);
  EXPECT_EQ(asked_->tier, 2U);
  EXPECT_EQ(asked_->max_connections, 50U);
}

TEST_F(Backends, refuse_a_body_that_makes_no_sense) {
  const std::pair<const char*, const char*> wrong[] = {
      {"drain", "[]"},
      {"drain", "{"},
      {"drain", R"({"close_after_ms": -1})"},
      {"drain", R"({"close_after_ms": "5m"})"},
      {"drain", R"({"by": 7})"},
      {"weight", "{}"},
      {"weight", R"({"weight": 1.5})"},
      {"add", R"({"weight": 1})"},
      {"add", R"({"address": "10.0.0.2:80", "tier": "low"})"},
      {"add", R"({"address": "10.0.0.2:80", "max_connections": -1})"},
      {"weight", R"({"weight": 1, "tier": 1})"},
      {"ready", R"({"weight": 1})"},
  };
  for (const auto& [what, body] : wrong) {
    EXPECT_EQ(post(what, body).status, 422U) << what << " " << body;
  }
  EXPECT_FALSE(asked_);
  EXPECT_EQ(reason(post("drain", R"({"close_after": 5})")),
            "unknown key 'close_after': did you mean 'close_after_ms'?");
}

TEST_F(Backends, pass_on_why_it_cannot_be) {
  const std::pair<int, unsigned> kinds[] = {
      {ENOENT, 404}, {EEXIST, 409}, {EINVAL, 422}, {EAGAIN, 503}, {0, 422}};
  for (const auto& [code, status] : kinds) {
    answer_ = tl::unexpected(Error{"for this reason", code});
    const auto response = post("maint");
    EXPECT_EQ(response.status, status);
    EXPECT_EQ(reason(response), "for this reason");
  }
  answer_ = std::nullopt;
  EXPECT_EQ(post("maint").status, 503U);
}

TEST_F(Backends, are_changed_over_the_control_socket_only) {
  EXPECT_EQ(ask("POST", "/api/v1/backends/web/web-2/drain", {}, false).status, 403U);
  EXPECT_FALSE(asked_);
}

TEST_F(Backends, have_nothing_else_below_them) {
  EXPECT_EQ(ask("GET", "/api/v1/backends/web/web-2/drain").status, 405U);
  EXPECT_EQ(ask("POST", "/api/v1/backends").status, 405U);
  EXPECT_EQ(ask("GET", "/api/v1/backends/web").status, 404U);
  EXPECT_EQ(ask("GET", "/api/v1/backends/").status, 404U);
  EXPECT_EQ(ask("GET", "/api/v1/backendsweb").status, 404U);
  const auto response = post("drian");
  EXPECT_EQ(response.status, 404U);
  EXPECT_THAT(reason(response), HasSubstr("did you mean 'drain'?"));
}

}  // namespace
}  // namespace holdfast::admin
