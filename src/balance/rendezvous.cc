#include "balance/rendezvous.h"

#include <cmath>

#include "holdfast/balance/hash.h"

namespace holdfast::balance {
namespace {

// The time until an event that happens `weight` times as often as another: whose comes first with
// a probability proportional to its weight.
double waiting_time(const Candidate& candidate, std::uint64_t client) {
  const double drawn = fraction(mix(client ^ candidate.identity));
  return -std::log1p(-drawn) / candidate.weight;
}

}  // namespace

std::size_t pick_rendezvous(std::span<const Candidate> candidates, std::uint64_t client) {
  std::size_t best = 0;
  double shortest = waiting_time(candidates[0], client);
  for (std::size_t place = 1; place < candidates.size(); ++place) {
    const double time = waiting_time(candidates[place], client);
    if (time < shortest) {
      best = place;
      shortest = time;
    }
  }
  return best;
}

}  // namespace holdfast::balance
