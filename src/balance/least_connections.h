#pragma once

#include <span>

#include "holdfast/balance/balance.h"

namespace holdfast::balance {

// The candidate with the fewest connections for its weight, counting the one to come, so that an
// idle heavy backend is preferred to an idle light one. Equals take turns by smooth weighted round
// robin: otherwise the first in the file would get every connection of an idle pool.
// `candidates` isn't empty.
[[nodiscard]] std::size_t pick_least_connections(std::span<const Candidate> candidates);

}  // namespace holdfast::balance
