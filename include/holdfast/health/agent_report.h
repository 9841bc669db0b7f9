#pragma once

#include <optional>
#include <string>

#include "holdfast/state/agent_record.h"

namespace holdfast::health {

// What an agent said, as far as it said it: what it doesn't mention stays as it is.
struct AgentReport {
  std::optional<bool> up;
  std::optional<state::AgentState> wish;   // ready takes drain and maint back
  std::optional<unsigned> weight_percent;  // of the configured weight
  std::string reason;                      // printable, for people

  bool operator==(const AgentReport&) const = default;
};

}  // namespace holdfast::health
