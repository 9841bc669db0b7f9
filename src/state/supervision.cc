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
  }
  std::abort();
}

}  // namespace holdfast::state
