#pragma once

#include <cstdint>
#include <string_view>

#include "holdfast/state/counter.h"

namespace holdfast::state {

// What a backend's agent asks for: it goes on taking connections, or takes no new ones.
enum class AgentState : std::uint8_t { ready, drain, maint };
inline constexpr std::size_t kAgentStates = 3;

[[nodiscard]] std::string_view to_string(AgentState state);

// What a backend's agent has said last, in the backend's entry of the shared region: it holds until
// the agent says otherwise, over crashes and reloads. Zeroes: it has said nothing. The control
// thread writes, relay threads read.
struct AgentRecord {
  Gauge state;   // AgentState
  Gauge weight;  // percent of the configured one, plus 1; 0: nothing was said

  [[nodiscard]] AgentState current_state() const {
    const auto value = state.get();
    return value < kAgentStates ? static_cast<AgentState>(value) : AgentState::ready;
  }
  [[nodiscard]] std::uint32_t percent() const {
    const auto value = weight.get();
    return value == 0 ? 100 : value - 1;
  }
  void set_percent(std::uint32_t percent) { weight.set(percent + 1); }

  // As if it had said nothing.
  void clear() {
    state.set(0);
    weight.set(0);
  }

  // Whether it lets the backend have new connections.
  [[nodiscard]] bool admits() const {
    return current_state() == AgentState::ready && percent() > 0;
  }
  // Of a configured weight, what the agent leaves of it: a share of 1 at least, unless it wants
  // none.
  [[nodiscard]] std::uint32_t share_of(std::uint32_t configured) const {
    const std::uint64_t share = std::uint64_t{configured} * percent() / 100;
    return share == 0 && configured > 0 && percent() > 0 ? 1 : static_cast<std::uint32_t>(share);
  }
};

}  // namespace holdfast::state
