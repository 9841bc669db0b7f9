#pragma once

#include "holdfast/base/result.h"
#include "holdfast/config/config.h"
#include "holdfast/relay/relay.h"
#include "worker/descriptor_budget.h"

namespace holdfast::worker {

// What a configuration may have of this host.

// Relay threads: as many as CPUs that this process may use, unless it says how many.
[[nodiscard]] unsigned count_threads(const Config& config);

// The error says which limit has no room for it.
[[nodiscard]] Result<DescriptorBudget> plan_capacity(const Config& config, unsigned threads);

// The share of one of so many relay threads.
[[nodiscard]] relay::RelayLimits limits_of(const Config& config, const DescriptorBudget& budget,
                                           unsigned threads);

}  // namespace holdfast::worker
