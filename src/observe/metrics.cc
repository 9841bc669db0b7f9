#include "holdfast/observe/metrics.h"

#include <prometheus/collectable.h>
#include <prometheus/text_serializer.h>

#include <functional>

#include "observe/families.h"

namespace holdfast::observe {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;
using Families = std::vector<MetricFamily>;

constexpr auto kCounter = MetricType::Counter;
constexpr auto kGauge = MetricType::Gauge;
constexpr auto kHistogram = MetricType::Histogram;

// One family over all things of a kind; `add` puts in a thing's series, under the labels given.
template <class Thing>
struct Row {
  const char* name;
  MetricType type;
  const char* help;
  std::function<void(Family&, const Labels&, const Thing&)> add;
};

Labels with(Labels labels, const char* name, std::string_view value) {
  labels.push_back({name, std::string(value)});
  return labels;
}

// A counter for each value of an enum, which is the label's value.
template <class Enum, std::size_t Size>
void add_each(Family& family, const Labels& labels, const char* label,
              const std::array<std::uint64_t, Size>& counts) {
  for (std::size_t i = 0; i < Size; ++i) {
    family.add(with(labels, label, to_string(static_cast<Enum>(i))),
               static_cast<double>(counts[i]));
  }
}

template <class Thing, class Field>
auto value_of(Field Thing::*field) {
  return [field](Family& family, const Labels& labels, const Thing& thing) {
    if constexpr (std::is_same_v<Field, HistogramSnapshot>) {
      family.add(labels, thing.*field);
    } else {
      family.add(labels, static_cast<double>(thing.*field));
    }
  };
}

const std::vector<Row<ContinuitySnapshot>>& continuity_rows() {
  using C = ContinuitySnapshot;
  static const std::vector<Row<C>> rows = {
      {"worker_restarts_total", kCounter, "Workers that were replaced, by what ended them.",
       [](Family& family, const Labels& labels, const C& continuity) {
         add_each<state::DeathCause>(family, labels, "cause", continuity.restarts);
       }},
      {"connections_recovered_total", kCounter, "Connections that outlived their worker.",
       value_of(&C::recovered)},
      {"connections_lost_in_recovery_total", kCounter,
       "Connections that a worker couldn't take over, and closed.", value_of(&C::lost)},
      {"connections_quarantined_total", kCounter,
       "Connections closed because workers crashed handling them.", value_of(&C::quarantined)},
      {"upgrades_total", kCounter, "Upgrades to another program file, by how they ended.",
       [](Family& family, const Labels& labels, const C& continuity) {
         add_each<state::UpgradeResult>(family, labels, "result", continuity.upgrades);
       }},
      {"recovery_duration_seconds", kHistogram,
       "Time from a worker's death until the next one served.", value_of(&C::recovery_duration)},
  };
  return rows;
}

const std::vector<Row<ReloadSnapshot>>& reload_rows() {
  using R = ReloadSnapshot;
  static const std::vector<Row<R>> rows = {
      {"config_reloads_total", kCounter, "Configurations that were to be put in force, by result.",
       [](Family& family, const Labels& labels, const R& reloads) {
         family.add(with(labels, "result", "succeeded"), static_cast<double>(reloads.succeeded));
         family.add(with(labels, "result", "failed"), static_cast<double>(reloads.failed));
       }},
      {"config_last_reload_successful", kGauge,
       "0 while what is in force is older than what was last asked for, else 1.",
       value_of(&R::last_succeeded)},
  };
  return rows;
}

const std::vector<Row<ListenerSnapshot>>& listener_rows() {
  using L = ListenerSnapshot;
  static const std::vector<Row<L>> rows = {
      {"listener_connections_total", kCounter, "Client connections accepted.",
       value_of(&L::connections)},
      {"listener_connections_active", kGauge, "Client connections open now.", value_of(&L::active)},
      {"listener_rejected_total", kCounter, "Client connections that got no service, by reason.",
       [](Family& family, const Labels& labels, const L& listener) {
         add_each<state::Rejection>(family, labels, "reason", listener.rejected);
       }},
      {"listener_accept_pauses_total", kCounter,
       "Pauses of the accept because descriptors, memory or max_connections ran out.",
       value_of(&L::accept_pauses)},
      {"listener_received_bytes_total", kCounter, "Bytes from clients, delivered to backends.",
       value_of(&L::received_bytes)},
      {"listener_sent_bytes_total", kCounter, "Bytes from backends, delivered to clients.",
       value_of(&L::sent_bytes)},
  };
  return rows;
}

void add_backend_states(Family& family, const Labels& labels, const PoolSnapshot& pool) {
  std::array<std::uint64_t, kBackendStates> counts{};
  for (const auto& backend : pool.backends) {
    if (backend.retired) {
      continue;
    }
    ++counts[static_cast<std::size_t>(backend.state())];
  }
  add_each<BackendState>(family, labels, "state", counts);
}

const std::vector<Row<PoolSnapshot>>& pool_rows() {
  using P = PoolSnapshot;
  static const std::vector<Row<P>> rows = {
      {"pool_backends", kGauge, "Backends by state; unknown ones serve.", add_backend_states},
      {"pool_failovers_total", kCounter, "Connects retried on another backend.",
       value_of(&P::failovers)},
      {"pool_no_backend_total", kCounter, "Connections for which no backend was left.",
       value_of(&P::no_backend)},
      {"pool_hedges_total", kCounter, "Second connects that raced a slow one, by result.",
       [](Family& family, const Labels& labels, const P& pool) {
         family.add(with(labels, "result", "won"), static_cast<double>(pool.hedges_won));
         family.add(with(labels, "result", "lost"), static_cast<double>(pool.hedges_lost));
       }},
      {"pool_hedges_denied_total", kCounter, "Second connects that the budget had no room for.",
       value_of(&P::hedges_denied)},
      {"pool_replays_total", kCounter,
       "Connections that went to another backend with what the client had sent.",
       value_of(&P::replays)},
      {"pool_tier", kGauge, "The highest tier in use.", value_of(&P::tier)},
      {"pool_panic", kGauge, "1 while too few backends are healthy and all are tried, else 0.",
       value_of(&P::panics)},
      {"pool_queue_length", kGauge, "Clients that wait for a place on a backend.",
       value_of(&P::waiting)},
      {"pool_queue_duration_seconds", kHistogram,
       "Time in the queue of clients that got a backend.", value_of(&P::queue_wait)},
      {"pool_connect_duration_seconds", kHistogram, "Time a successful connect took.",
       value_of(&P::connect_duration)},
      {"pool_connection_duration_seconds", kHistogram, "Time from accept to close.",
       value_of(&P::connection_duration)},
      {"pool_health_check_duration_seconds", kHistogram, "Time a health check took.",
       value_of(&P::health_check_duration)},
  };
  return rows;
}

const std::vector<Row<BackendSnapshot>>& backend_rows() {
  using B = BackendSnapshot;
  static const std::vector<Row<B>> rows = {
      {"backend_up", kGauge, "1 while the backend takes new connections, else 0.",
       [](Family& family, const Labels& labels, const B& backend) {
         if (!backend.retired) {
           family.add(labels, backend.is_serving() ? 1 : 0);
         }
       }},
      {"backend_state", kGauge,
       "1 for the backend's state, 0 for the others: its health, or what an operator set.",
       [](Family& family, const Labels& labels, const B& backend) {
         if (backend.retired) {
           return;
         }
         std::array<std::uint64_t, kBackendStates> one{};
         one[static_cast<std::size_t>(backend.state())] = 1;
         add_each<BackendState>(family, labels, "state", one);
       }},
      {"backend_ejected", kGauge, "1 while passive ejection keeps new connections away, else 0.",
       [](Family& family, const Labels& labels, const B& backend) {
         if (!backend.retired) {
           family.add(labels, backend.is_ejected ? 1 : 0);
         }
       }},
      {"backend_ejections_total", kCounter, "Times that passive ejection took the backend out.",
       value_of(&B::ejections)},
      {"backend_weight", kGauge, "Share of connections, relative to the pool's other backends.",
       [](Family& family, const Labels& labels, const B& backend) {
         if (!backend.retired) {
           family.add(labels, backend.weight);
         }
       }},
      {"backend_tier", kGauge, "The tier it is in.",
       [](Family& family, const Labels& labels, const B& backend) {
         if (!backend.retired) {
           family.add(labels, backend.tier);
         }
       }},
      {"backend_agent_state", kGauge, "1 for what the backend's agent asks for, 0 for the others.",
       [](Family& family, const Labels& labels, const B& backend) {
         if (backend.retired) {
           return;
         }
         std::array<std::uint64_t, state::kAgentStates> one{};
         one[static_cast<std::size_t>(backend.agent_state)] = 1;
         add_each<state::AgentState>(family, labels, "state", one);
       }},
      {"backend_agent_weight_ratio", kGauge, "The share of its weight that its agent leaves it.",
       [](Family& family, const Labels& labels, const B& backend) {
         if (!backend.retired) {
           family.add(labels, backend.agent_percent / 100.0);
         }
       }},
      {"backend_connections_total", kCounter, "Connections established to the backend.",
       value_of(&B::connections)},
      {"backend_connections_active", kGauge, "Connections to it now, those being made included.",
       value_of(&B::active)},
      {"backend_connect_failures_total", kCounter, "Connects that failed, by reason.",
       [](Family& family, const Labels& labels, const B& backend) {
         add_each<state::ConnectFailure>(family, labels, "reason", backend.connect_failures);
       }},
      {"backend_connections_closed_total", kCounter, "Connections that ended, by cause.",
       [](Family& family, const Labels& labels, const B& backend) {
         add_each<state::CloseCause>(family, labels, "cause", backend.closed);
       }},
      {"backend_received_bytes_total", kCounter, "Bytes from the backend.",
       value_of(&B::received_bytes)},
      {"backend_sent_bytes_total", kCounter, "Bytes to the backend.", value_of(&B::sent_bytes)},
      {"backend_health_checks_total", kCounter, "Health checks by result.",
       [](Family& family, const Labels& labels, const B& backend) {
         family.add(with(labels, "result", "passed"), static_cast<double>(backend.checks_passed));
         family.add(with(labels, "result", "failed"), static_cast<double>(backend.checks_failed));
       }},
      {"backend_health_transitions_total", kCounter, "Changes of health, by the state come to.",
       [](Family& family, const Labels& labels, const B& backend) {
         add_each<state::Health>(family, labels, "to", backend.transitions);
       }},
      {"backend_last_state_change_timestamp_seconds", kGauge,
       "When its health last changed, in seconds since 1970.",
       [](Family& family, const Labels& labels, const B& backend) {
         family.add(labels, static_cast<double>(backend.changed_at) / 1000);
       }},
  };
  return rows;
}

class Collector final : public prometheus::Collectable {
 public:
  Collector(const state::SharedState& shared, std::string_view version)
      : shared_(shared), version_(version) {}

  [[nodiscard]] Families Collect() const override {
    const auto snapshot = take_snapshot(shared_);
    Families families;
    add_process(families, snapshot);
    for (const auto& row : continuity_rows()) {
      Family family(row.name, row.help, row.type);
      row.add(family, {}, snapshot.continuity);
      families.push_back(family.take());
    }
    for (const auto& row : reload_rows()) {
      Family family(row.name, row.help, row.type);
      row.add(family, {}, snapshot.reloads);
      families.push_back(family.take());
    }
    for (const auto& row : listener_rows()) {
      Family family(row.name, row.help, row.type);
      for (const auto& listener : snapshot.listeners) {
        row.add(family, {{"listener", listener.name}}, listener);
      }
      families.push_back(family.take());
    }
    for (const auto& row : pool_rows()) {
      Family family(row.name, row.help, row.type);
      for (const auto& pool : snapshot.pools) {
        row.add(family, {{"pool", pool.name}}, pool);
      }
      families.push_back(family.take());
    }
    for (const auto& row : backend_rows()) {
      Family family(row.name, row.help, row.type);
      for (const auto& pool : snapshot.pools) {
        for (const auto& backend : pool.backends) {
          row.add(family, {{"pool", pool.name}, {"backend", backend.name}}, backend);
        }
      }
      families.push_back(family.take());
    }
    return families;
  }

 private:
  void add_process(Families& families, const Snapshot& snapshot) const {
    const auto add = [&](const char* name, const char* help, Labels labels, double value) {
      Family family(name, help, kGauge);
      family.add(std::move(labels), value);
      families.push_back(family.take());
    };
    add("build_info", "1, labelled with the version that runs.",
        {{"version", std::string(version_)}}, 1);
    add("start_time_seconds", "When it started, in seconds since 1970.", {},
        static_cast<double>(snapshot.started_at) / 1000);
    add("threads", "Relay threads.", {}, snapshot.threads);
    add("connections_active", "Client connections open now, on all listeners.", {},
        snapshot.connections);
  }

  const state::SharedState& shared_;
  std::string_view version_;
};

}  // namespace

std::string render_metrics(const state::SharedState& shared, std::string_view version) {
  return prometheus::TextSerializer().Serialize(Collector(shared, version).Collect());
}

}  // namespace holdfast::observe
