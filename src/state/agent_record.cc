#include "holdfast/state/agent_record.h"

#include <cstdlib>

namespace holdfast::state {

std::string_view to_string(AgentState state) {
  switch (state) {
    case AgentState::ready:
      return "ready";
    case AgentState::drain:
      return "drain";
    case AgentState::maint:
      return "maint";
  }
  std::abort();
}

}  // namespace holdfast::state
