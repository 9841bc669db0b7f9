#include "holdfast/state/supervision.h"

#include <cstdlib>

namespace holdfast::state {

std::string_view to_string(DeathCause cause) {
  switch (cause) {
    case DeathCause::killed:
      return "killed";
    case DeathCause::crashed:
      return "crashed";
    case DeathCause::hung:
      return "hung";
    case DeathCause::exited:
      return "exited";
    case DeathCause::guardian:
      return "guardian";
    case DeathCause::upgrade:
      return "upgrade";
  }
  std::abort();
}

std::string_view to_string(UpgradeResult result) {
  switch (result) {
    case UpgradeResult::done:
      return "done";
    case UpgradeResult::rolled_back:
      return "rolled_back";
  }
  std::abort();
}

}  // namespace holdfast::state
