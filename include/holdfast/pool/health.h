#pragma once

#include <optional>

#include "holdfast/config/config.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::pool {

// The health state machine, pure: one check's outcome in, the state it leads to out, when that is
// another one. `unknown` is settled by a single check either way; afterwards `rise` successes in a
// row bring a backend up and `fall` failures in a row take it down.
[[nodiscard]] std::optional<state::Health> advance_health(state::HealthRecord& record, bool passed,
                                                          const HealthConfig& config);

}  // namespace holdfast::pool
