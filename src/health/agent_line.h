#pragma once

#include <string_view>

#include "holdfast/base/result.h"
#include "holdfast/health/agent_report.h"

namespace holdfast::health {

inline constexpr std::size_t kLongestAgentLine = 1024;
inline constexpr unsigned kMostAgentPercent = 1000;

// The line that an agent answers, without its end, in HAProxy's agent-check protocol: words
// separated by spaces, tabs or commas, in any case, then maybe a description after '#'. Where words
// contradict each other, the last one holds. The error says what isn't understood. Pure.
//
//   up  down fail stopped   the result of the check; "failed", too, as old manuals have it
//   ready  drain  maint     whether the backend gets new connections
//   NN%                     its share of its configured weight
//   maxconn:NN              has no meaning here
[[nodiscard]] Result<AgentReport> parse_agent_line(std::string_view line);

}  // namespace holdfast::health
