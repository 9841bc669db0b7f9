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
    case UpgradeResult::succeeded:
      return "succeeded";
    case UpgradeResult::refused:
      return "refused";
    case UpgradeResult::rolled_back:
      return "rolled_back";
  }
  std::abort();
}

std::string_view to_string(UpgradeFailure failure) {
  switch (failure) {
    case UpgradeFailure::none:
      return "none";
    case UpgradeFailure::not_executed:
      return "it can't be executed";
    case UpgradeFailure::ended:
      return "it ended before it served";
    case UpgradeFailure::hung:
      return "it didn't serve in time";
  }
  std::abort();
}

void finish(UpgradeRecord& upgrade, UpgradeResult result, UpgradeFailure failure,
            std::uint32_t detail) {
  upgrade.total[static_cast<std::size_t>(result)].add(1);
  if (result == UpgradeResult::refused) {
    return;
  }
  upgrade.result.set(static_cast<std::uint32_t>(result));
  upgrade.failure.set(static_cast<std::uint32_t>(failure));
  upgrade.detail.set(detail);
  upgrade.number.increment();
}

}  // namespace holdfast::state
