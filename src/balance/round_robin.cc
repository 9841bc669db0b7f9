#include "balance/round_robin.h"

namespace holdfast::balance {

std::size_t pick_round_robin(std::span<const Candidate> candidates) {
  std::int64_t total = 0;
  std::size_t richest = 0;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    *candidates[i].turn += candidates[i].weight;
    total += candidates[i].weight;
    if (*candidates[i].turn > *candidates[richest].turn) {
      richest = i;
    }
  }
  *candidates[richest].turn -= total;
  return richest;
}

}  // namespace holdfast::balance
