#include "holdfast/observe/metrics.h"

#include <gmock/gmock.h>

#include <map>
#include <set>
#include <sstream>

#include "support/test_state.h"

namespace holdfast::observe {
namespace {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using testing::TestState;

// By the series as it is written: name{label="value",...}.
std::map<std::string, double> samples_of(const std::string& text) {
  std::map<std::string, double> samples;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with('#')) {
      continue;
    }
    const auto space = line.rfind(' ');
    const auto [place, is_new] =
        samples.emplace(line.substr(0, space), std::stod(line.substr(space + 1)));
    EXPECT_TRUE(is_new) << "twice: " << line;
  }
  return samples;
}

// Its type, by the family's name.
std::map<std::string, std::string> families_of(const std::string& text) {
  std::map<std::string, std::string> families;
  std::istringstream lines(text);
  for (std::string hash, what, name, rest; lines >> hash >> what >> name;) {
    std::getline(lines, rest);
    if (hash == "#" && what == "TYPE") {
      EXPECT_TRUE(families.emplace(name, rest.substr(1)).second) << name << " twice";
    }
  }
  return families;
}

class Metrics : public ::testing::Test {
 protected:
  Metrics() {
    state_.add_listener("web");
    state_.add_pool("app");
    backend_ = state_.add_backend("app-1");
  }

  [[nodiscard]] std::string render() const { return render_metrics(state_.shared(), "1.2.3"); }
  [[nodiscard]] double value(const std::string& series) const {
    const auto samples = samples_of(render());
    const auto found = samples.find(series);
    EXPECT_NE(found, samples.end()) << "no " << series;
    return found == samples.end() ? -1 : found->second;
  }
  [[nodiscard]] state::ThreadState& counters() const { return state_.thread(0); }

  TestState state_;
  std::size_t backend_ = 0;
};

TEST_F(Metrics, are_these_families) {
  const std::map<std::string, std::string> expected = {
      {"holdfast_build_info", "gauge"},
      {"holdfast_start_time_seconds", "gauge"},
      {"holdfast_threads", "gauge"},
      {"holdfast_connections_active", "gauge"},
      {"holdfast_worker_restarts_total", "counter"},
      {"holdfast_connections_recovered_total", "counter"},
      {"holdfast_connections_lost_in_recovery_total", "counter"},
      {"holdfast_connections_quarantined_total", "counter"},
      {"holdfast_upgrades_total", "counter"},
      {"holdfast_recovery_duration_seconds", "histogram"},
      {"holdfast_config_reloads_total", "counter"},
      {"holdfast_config_last_reload_successful", "gauge"},
      {"holdfast_listener_connections_total", "counter"},
      {"holdfast_listener_connections_active", "gauge"},
      {"holdfast_listener_rejected_total", "counter"},
      {"holdfast_listener_accept_pauses_total", "counter"},
      {"holdfast_listener_received_bytes_total", "counter"},
      {"holdfast_listener_sent_bytes_total", "counter"},
      {"holdfast_pool_backends", "gauge"},
      {"holdfast_pool_failovers_total", "counter"},
      {"holdfast_pool_no_backend_total", "counter"},
      {"holdfast_pool_hedges_total", "counter"},
      {"holdfast_pool_hedges_denied_total", "counter"},
      {"holdfast_pool_replays_total", "counter"},
      {"holdfast_pool_tier", "gauge"},
      {"holdfast_pool_panic", "gauge"},
      {"holdfast_pool_queue_length", "gauge"},
      {"holdfast_pool_queue_duration_seconds", "histogram"},
      {"holdfast_pool_connect_duration_seconds", "histogram"},
      {"holdfast_pool_connection_duration_seconds", "histogram"},
      {"holdfast_pool_health_check_duration_seconds", "histogram"},
      {"holdfast_backend_up", "gauge"},
      {"holdfast_backend_state", "gauge"},
      {"holdfast_backend_weight", "gauge"},
      {"holdfast_backend_tier", "gauge"},
      {"holdfast_backend_ejected", "gauge"},
      {"holdfast_backend_ejections_total", "counter"},
      {"holdfast_backend_agent_state", "gauge"},
      {"holdfast_backend_agent_weight_ratio", "gauge"},
      {"holdfast_backend_connections_total", "counter"},
      {"holdfast_backend_connections_active", "gauge"},
      {"holdfast_backend_connect_failures_total", "counter"},
      {"holdfast_backend_connections_closed_total", "counter"},
      {"holdfast_backend_received_bytes_total", "counter"},
      {"holdfast_backend_sent_bytes_total", "counter"},
      {"holdfast_backend_health_checks_total", "counter"},
      {"holdfast_backend_health_transitions_total", "counter"},
      {"holdfast_backend_last_state_change_timestamp_seconds", "gauge"},
  };
  EXPECT_EQ(families_of(render()), expected);
}

TEST_F(Metrics, are_named_by_the_conventions) {
  for (const auto& [name, type] : families_of(render())) {
    EXPECT_THAT(name, MatchesRegex("holdfast_[a-z]+(_[a-z]+)*"));
    EXPECT_EQ(name.ends_with("_total"), type == "counter") << name;
    EXPECT_THAT(render(), HasSubstr("# HELP " + name + " "));
  }
}

TEST_F(Metrics, exist_at_0_before_anything_happened) {
  const std::string listener = "{listener=\"web\"";
  const std::string pool = "{pool=\"app\"";
  const std::string backend = "{pool=\"app\",backend=\"app-1\"";
  std::set<std::string> at_zero = {
      "holdfast_start_time_seconds",
      "holdfast_connections_active",
      "holdfast_listener_connections_total" + listener + "}",
      "holdfast_listener_connections_active" + listener + "}",
      "holdfast_listener_accept_pauses_total" + listener + "}",
      "holdfast_listener_received_bytes_total" + listener + "}",
      "holdfast_listener_sent_bytes_total" + listener + "}",
      "holdfast_pool_failovers_total" + pool + "}",
      "holdfast_pool_no_backend_total" + pool + "}",
      "holdfast_pool_hedges_total" + pool + ",result=\"won\"}",
      "holdfast_pool_hedges_total" + pool + ",result=\"lost\"}",
      "holdfast_pool_hedges_denied_total" + pool + "}",
      "holdfast_pool_replays_total" + pool + "}",
      "holdfast_pool_tier" + pool + "}",
      "holdfast_pool_panic" + pool + "}",
      "holdfast_pool_queue_length" + pool + "}",
      "holdfast_backend_ejected" + backend + "}",
      "holdfast_backend_ejections_total" + backend + "}",
      "holdfast_backend_agent_state" + backend + ",state=\"drain\"}",
      "holdfast_backend_agent_state" + backend + ",state=\"maint\"}",
      "holdfast_backend_connections_total" + backend + "}",
      "holdfast_backend_connections_active" + backend + "}",
      "holdfast_backend_received_bytes_total" + backend + "}",
      "holdfast_backend_sent_bytes_total" + backend + "}",
      "holdfast_backend_health_checks_total" + backend + ",result=\"passed\"}",
      "holdfast_backend_health_checks_total" + backend + ",result=\"failed\"}",
      "holdfast_backend_last_state_change_timestamp_seconds" + backend + "}",
  };
  for (const auto* cause : {"killed", "crashed", "hung", "exited", "guardian", "upgrade"}) {
    at_zero.insert(std::string("holdfast_worker_restarts_total{cause=\"") + cause + "\"}");
  }
  for (const auto* what : {"recovered", "lost_in_recovery", "quarantined"}) {
    at_zero.insert(std::string("holdfast_connections_") + what + "_total");
  }
  at_zero.insert("holdfast_backend_tier" + backend + "}");
  for (const auto* result : {"succeeded", "refused", "rolled_back"}) {
    at_zero.insert(std::string("holdfast_upgrades_total{result=\"") + result + "\"}");
  }
  for (const auto* result : {"succeeded", "failed"}) {
    at_zero.insert(std::string("holdfast_config_reloads_total{result=\"") + result + "\"}");
  }
  for (const auto* reason : {"no_backend", "shutdown", "backends_full", "queue_full",
                             "queue_timeout", "queue_left", "client_left"}) {
    at_zero.insert("holdfast_listener_rejected_total" + listener + ",reason=\"" + reason + "\"}");
  }
  for (const auto* reason : {"refused", "reset", "unreachable", "timeout", "local", "other"}) {
    at_zero.insert("holdfast_backend_connect_failures_total" + backend + ",reason=\"" + reason +
                   "\"}");
  }
  for (const auto* cause :
       {"finished", "client_reset", "backend_reset", "idle_timeout", "half_close_timeout",
        "shutdown", "backend_down", "drained", "lower_tier_up"}) {
    at_zero.insert("holdfast_backend_connections_closed_total" + backend + ",cause=\"" + cause +
                   "\"}");
  }
  for (const std::string state : {"unknown", "down", "drain", "maint"}) {
    at_zero.insert("holdfast_pool_backends" + pool + ",state=\"" + state + "\"}");
    at_zero.insert("holdfast_backend_state" + backend + ",state=\"" + state + "\"}");
  }
  for (const auto* to : {"unknown", "up", "down"}) {
    at_zero.insert("holdfast_backend_health_transitions_total" + backend + ",to=\"" + to + "\"}");
  }

  std::set<std::string> found;
  for (const auto& [series, value] : samples_of(render())) {
    if (value == 0 && series.find("_duration_seconds_") == std::string::npos) {
      found.insert(series);
    }
  }
  EXPECT_EQ(found, at_zero);
}

TEST_F(Metrics, tell_the_process) {
  state_.shared().started_at.set(1'700'000'000'250);
  state_.shared().connections.set(12);

  EXPECT_EQ(value("holdfast_build_info{version=\"1.2.3\"}"), 1);
  EXPECT_EQ(value("holdfast_start_time_seconds"), 1'700'000'000.25);
  EXPECT_EQ(value("holdfast_threads"), 1);
  EXPECT_EQ(value("holdfast_connections_active"), 12);
}

TEST_F(Metrics, count_under_the_label_that_says_why) {
  using state::CloseCause;
  using state::ConnectFailure;
  const auto count = [](auto& counters, auto which, std::uint64_t amount) {
    counters[static_cast<std::size_t>(which)].add(amount);
  };
  count(counters().listeners[0].rejected, state::Rejection::no_backend, 3);
  count(counters().backends[backend_].connect_failures, ConnectFailure::unreachable, 4);
  count(counters().backends[backend_].closed, CloseCause::half_close_timeout, 5);
  count(state_.shared().backends[backend_].transitions, state::Health::up, 6);

  EXPECT_EQ(value("holdfast_listener_rejected_total{listener=\"web\",reason=\"no_backend\"}"), 3);
  const std::string backend = "{pool=\"app\",backend=\"app-1\",";
  EXPECT_EQ(value("holdfast_backend_connect_failures_total" + backend + "reason=\"unreachable\"}"),
            4);
  EXPECT_EQ(value("holdfast_backend_connections_closed_total" + backend +
                  "cause=\"half_close_timeout\"}"),
            5);
  EXPECT_EQ(value("holdfast_backend_health_transitions_total" + backend + "to=\"up\"}"), 6);
}

TEST_F(Metrics, tell_a_backend_that_serves_from_one_that_does_not) {
  const std::string up = "holdfast_backend_up{pool=\"app\",backend=\"app-1\"}";
  const auto state = [&](const std::string& name) {
    return value("holdfast_backend_state{pool=\"app\",backend=\"app-1\",state=\"" + name + "\"}");
  };
  EXPECT_EQ(value(up), 1);
  EXPECT_EQ(state("up"), 1);
  EXPECT_EQ(state("down"), 0);

  state_.set_health(backend_, state::Health::down);
  EXPECT_EQ(value(up), 0);
  EXPECT_EQ(state("up"), 0);
  EXPECT_EQ(state("down"), 1);

  state_.set_health(backend_, state::Health::unknown);
  EXPECT_EQ(value(up), 1);
  EXPECT_EQ(state("unknown"), 1);

  state_.shared().backends[backend_].weight.set(0);
  EXPECT_EQ(value(up), 0);
}

TEST_F(Metrics, tell_what_an_operator_set_before_what_checks_found) {
  const std::string labels = "{pool=\"app\",backend=\"app-1\"";
  const auto state = [&](const std::string& name) {
    return value("holdfast_backend_state" + labels + ",state=\"" + name + "\"}");
  };
  auto& entry = state_.shared().backends[backend_];
  state_.set_health(backend_, state::Health::down);
  entry.weight.set(7);
  EXPECT_EQ(value("holdfast_backend_weight" + labels + "}"), 7);

  entry.admin.state.set(static_cast<std::uint32_t>(state::AdminState::maint));

  EXPECT_EQ(state("maint"), 1);
  EXPECT_EQ(state("down"), 0);
  EXPECT_EQ(value("holdfast_pool_backends{pool=\"app\",state=\"maint\"}"), 1);
  EXPECT_EQ(value("holdfast_pool_backends{pool=\"app\",state=\"down\"}"), 0);
  EXPECT_EQ(value("holdfast_backend_up" + labels + "}"), 0);
  EXPECT_EQ(value("holdfast_backend_weight" + labels + "}"), 0);
}

TEST_F(Metrics, tell_the_tier_of_a_backend) {
  state_.shared().backends[backend_].tier.set(2);
  EXPECT_EQ(value("holdfast_backend_tier{pool=\"app\",backend=\"app-1\"}"), 2);
}

TEST_F(Metrics, count_the_backends_of_a_pool_by_state) {
  state_.set_health(state_.add_backend("app-2"), state::Health::down);
  state_.set_health(state_.add_backend("app-3"), state::Health::down);
  const auto backends = [&](const std::string& name) {
    return value("holdfast_pool_backends{pool=\"app\",state=\"" + name + "\"}");
  };

  EXPECT_EQ(backends("up"), 1);
  EXPECT_EQ(backends("down"), 2);
  EXPECT_EQ(backends("unknown"), 0);
}

TEST_F(Metrics, have_cumulative_histograms_in_seconds) {
  auto& histogram = counters().pools[0].connect_duration;
  histogram.observe(50'000);              // 50 us
  histogram.observe(100'000);             // a bound belongs to its bucket
  histogram.observe(100'001);             // and what is above it does not
  histogram.observe(90'000'000'000'000);  // 25 h: above all bounds

  const std::string name = "holdfast_pool_connect_duration_seconds";
  const auto bucket = [&](const std::string& bound) {
    return value(name + "_bucket{pool=\"app\",le=\"" + bound + "\"}");
  };
  EXPECT_EQ(bucket("0.0001"), 2);
  EXPECT_EQ(bucket("0.0005"), 3);
  EXPECT_EQ(bucket("1"), 3);
  EXPECT_EQ(bucket("86400"), 3);
  EXPECT_EQ(bucket("+Inf"), 4);
  EXPECT_EQ(value(name + "_count{pool=\"app\"}"), 4);
  EXPECT_NEAR(value(name + "_sum{pool=\"app\"}"), 90000.000250001, 1e-9);
}

TEST_F(Metrics, have_a_bucket_for_every_bound) {
  std::size_t buckets = 0;
  for (const auto& [series, value] : samples_of(render())) {
    buckets += series.starts_with("holdfast_pool_connect_duration_seconds_bucket") ? 1 : 0;
  }
  EXPECT_EQ(buckets, state::kDurationBounds.size() + 1);
}

TEST_F(Metrics, keep_a_byte_counter_exact_up_to_2_to_the_53rd) {
  counters().listeners[0].received_bytes.add((std::uint64_t{1} << 53) - 1);

  EXPECT_EQ(value("holdfast_listener_received_bytes_total{listener=\"web\"}"), 9007199254740991.0);
}

TEST_F(Metrics, escape_what_a_label_may_not_hold) {
  state_.add_listener("a\"b\\c\nd");

  EXPECT_THAT(render(), HasSubstr("holdfast_listener_connections_total{listener=\"a\\\"b\\\\c\\n"
                                  "d\"} 0\n"));
}

TEST_F(Metrics, have_a_series_for_each_listener_pool_and_backend) {
  state_.add_listener("db");
  state_.add_backend("app-2");
  state_.add_pool("db");
  state_.add_backend("app-1");  // the same name in another pool

  EXPECT_EQ(value("holdfast_listener_connections_total{listener=\"db\"}"), 0);
  EXPECT_EQ(value("holdfast_backend_up{pool=\"app\",backend=\"app-2\"}"), 1);
  EXPECT_EQ(value("holdfast_backend_up{pool=\"db\",backend=\"app-1\"}"), 1);
}

}  // namespace
}  // namespace holdfast::observe
