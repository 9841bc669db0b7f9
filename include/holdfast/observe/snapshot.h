#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/state/shared_state.h"

namespace holdfast::observe {

// Everything there is to see at one moment, summed over the threads. Plain values: whoever shows
// them (metrics, a status page) looks here and not into the shared state. Threads go on while it
// is taken, so that two numbers may be a few events apart.

struct HistogramSnapshot {
  std::array<std::uint64_t, state::kDurationBounds.size() + 1> buckets{};  // not cumulative
  std::uint64_t sum_nanoseconds = 0;
};

struct ListenerSnapshot {
  std::string name;
  std::uint64_t connections = 0;
  std::uint64_t active = 0;
  std::array<std::uint64_t, state::kRejections> rejected{};
  std::uint64_t accept_pauses = 0;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
};

// A backend's health, and above it what an operator made of it.
enum class BackendState : std::uint8_t { unknown, up, down, drain, maint };
inline constexpr std::size_t kBackendStates = 5;
[[nodiscard]] std::string_view to_string(BackendState state);

struct BackendSnapshot {
  std::string name;
  state::Health health = state::Health::unknown;
  state::AdminState admin = state::AdminState::ready;
  bool retired = false;      // not configured any more; it still has connections
  std::uint32_t weight = 0;  // that counts: 0 unless it is ready
  std::uint32_t tier = 0;
  state::AgentState agent_state = state::AgentState::ready;
  std::uint32_t agent_percent = 100;  // of the weight
  std::uint32_t active = 0;
  std::uint64_t connections = 0;
  std::array<std::uint64_t, state::kConnectFailures> connect_failures{};
  std::array<std::uint64_t, state::kCloseCauses> closed{};
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t checks_passed = 0;
  std::uint64_t checks_failed = 0;
  std::array<std::uint64_t, state::kHealthStates> transitions{};
  std::uint64_t changed_at = 0;  // milliseconds since 1970
  bool is_ejected = false;
  std::uint64_t ejections = 0;

  [[nodiscard]] bool is_serving() const {
    return !retired && health != state::Health::down && !is_ejected && weight > 0 &&
           agent_state == state::AgentState::ready && agent_percent > 0;
  }
  [[nodiscard]] BackendState state() const;
};

struct PoolSnapshot {
  std::string name;
  std::uint64_t failovers = 0;
  std::uint64_t no_backend = 0;
  std::uint64_t hedges_won = 0;
  std::uint64_t hedges_lost = 0;
  std::uint64_t hedges_denied = 0;
  std::uint64_t replays = 0;
  std::uint32_t waiting = 0;  // clients in its queue
  std::uint32_t tier = 0;     // the highest in use
  bool panics = false;        // tries backends that are down
  HistogramSnapshot queue_wait;
  HistogramSnapshot connect_duration;
  HistogramSnapshot connection_duration;
  HistogramSnapshot health_check_duration;
  std::vector<BackendSnapshot> backends;
};

// How often the balancer itself had to be replaced, and what became of its connections.
struct ContinuitySnapshot {
  std::array<std::uint64_t, state::kDeathCauses> restarts{};
  std::uint64_t recovered = 0;    // connections
  std::uint64_t lost = 0;         // connections
  std::uint64_t quarantined = 0;  // connections
  std::array<std::uint64_t, state::kUpgradeResults> upgrades{};
  HistogramSnapshot recovery_duration;
};

struct ReloadSnapshot {
  std::uint64_t succeeded = 0;
  std::uint64_t failed = 0;
  bool last_succeeded = true;
};

struct Snapshot {
  std::uint64_t started_at = 0;  // milliseconds since 1970
  std::uint32_t threads = 0;
  std::uint32_t connections = 0;
  ContinuitySnapshot continuity;
  ReloadSnapshot reloads;
  std::vector<ListenerSnapshot> listeners;
  std::vector<PoolSnapshot> pools;
};

// From any thread, while nobody gives entries other names (Worker::entries()).
[[nodiscard]] Snapshot take_snapshot(const state::SharedState& shared);

}  // namespace holdfast::observe
