#pragma once

#include <span>

#include "holdfast/balance/balance.h"

namespace holdfast::balance {

// Highest random weight (Thaler and Ravishankar, 1998), with weights: each candidate draws lots for
// this client, the more the heavier, always the same ones; the best lot wins. When a candidate
// leaves, only its clients go elsewhere. It looks at all of them. `candidates` isn't empty.
[[nodiscard]] std::size_t pick_rendezvous(std::span<const Candidate> candidates,
                                          std::uint64_t client);

}  // namespace holdfast::balance
