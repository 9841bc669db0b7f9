#pragma once

#include <cstdint>

#include "holdfast/base/clock.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::pool {

// Whether a backend may have new connections, and how many compared with the others: the one place
// that says so. What it says holds for a moment; any thread may ask.

// The unit of effective_weight(): a weight of 1 whose backend has been up for long.
inline constexpr std::uint32_t kWholeWeight = 1000;

// It is meant to have connections: what an operator or its agent took out stays out even in a
// panic.
[[nodiscard]] inline bool is_admitted(const state::BackendEntry& entry) {
  return entry.weight.get() > 0 && entry.admin.is_ready() && entry.agent.admits();
}

// Its weight, as far as it is meant to have it, in the unit of effective_weight().
[[nodiscard]] inline std::uint32_t whole_weight(const state::BackendEntry& entry) {
  return entry.agent.share_of(entry.weight.get() * kWholeWeight);
}

// It is believed to answer.
[[nodiscard]] inline bool is_healthy(const state::BackendEntry& entry) {
  return entry.current_health() != state::Health::down;
}

// The part, up to 1, of its weight that a backend has, which grows from 0 for `slow_start` after it
// came back.
[[nodiscard]] double share_of_weight(const state::BackendEntry& entry, Duration slow_start,
                                     TimePoint now);

// In thousandths, so that slow_start can divide a weight of 1 as well; at least 1, unless the
// weight is 0.
[[nodiscard]] std::uint32_t effective_weight(const state::BackendEntry& entry, Duration slow_start,
                                             TimePoint now);

}  // namespace holdfast::pool
