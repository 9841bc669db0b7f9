#pragma once

#include <span>

#include "holdfast/balance/balance.h"

namespace holdfast::balance {

// Smooth weighted round robin, as nginx made it known: every candidate gains its weight, the
// richest is picked and pays the sum of all. Weights 5, 1, 1 give a a b a c a a, not a a a a a b c,
// and over a full round each is picked as often as its weight says. `candidates` isn't empty.
[[nodiscard]] std::size_t pick_round_robin(std::span<const Candidate> candidates);

}  // namespace holdfast::balance
