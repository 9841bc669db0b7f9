#include "balance/least_connections.h"

namespace holdfast::balance {
namespace {

// (active + 1) / weight, compared crosswise: no division, no rounding.
bool is_less_loaded(const Candidate& a, const Candidate& b) {
  return (std::uint64_t{a.active} + 1) * b.weight < (std::uint64_t{b.active} + 1) * a.weight;
}

}  // namespace

std::size_t pick_least_connections(std::span<const Candidate> candidates) {
  std::size_t best = 0;
  for (std::size_t i = 1; i < candidates.size(); ++i) {
    if (is_less_loaded(candidates[i], candidates[best])) {
      best = i;
    }
  }
  // Smooth weighted round robin among those that are as little loaded as the best.
  const Candidate least = candidates[best];
  std::int64_t total = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    if (is_less_loaded(least, candidates[i])) {
      continue;
    }
    *candidates[i].turn += candidates[i].weight;
    total += candidates[i].weight;
    if (*candidates[i].turn > *candidates[best].turn) {
      best = i;
    }
  }
  *candidates[best].turn -= total;
  return best;
}

}  // namespace holdfast::balance
