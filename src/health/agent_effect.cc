#include "health/agent_effect.h"

namespace holdfast::health {

bool apply_report(const AgentReport& report, state::AgentRecord& record) {
  const auto state_before = record.current_state();
  const auto percent_before = record.percent();
  if (report.wish) {
    record.state.set(static_cast<std::uint32_t>(*report.wish));
  }
  if (report.weight_percent) {
    record.set_percent(*report.weight_percent);
  }
  return record.current_state() != state_before || record.percent() != percent_before;
}

}  // namespace holdfast::health
