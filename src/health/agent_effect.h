#pragma once

#include "holdfast/health/agent_report.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::health {

// Puts what an agent said into its backend's record, where relay threads see it at their next pick.
// What it didn't mention stays. Whether anything is another than before.
bool apply_report(const AgentReport& report, state::AgentRecord& record);

}  // namespace holdfast::health
