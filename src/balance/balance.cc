#include "holdfast/balance/balance.h"

#include <algorithm>
#include <cstdlib>

#include "balance/least_connections.h"
#include "balance/rendezvous.h"
#include "balance/round_robin.h"
#include "holdfast/balance/draw.h"

namespace holdfast::balance {

std::optional<std::size_t> pick(Balance algorithm, std::span<const Candidate> candidates,
                                Chance chance) {
  if (candidates.empty()) {
    return std::nullopt;
  }
  const auto weight_at = [&](std::size_t place) { return candidates[place].weight; };
  const auto active_at = [&](std::size_t place) { return candidates[place].active; };
  const auto heaviest = [&] { return std::ranges::max(candidates, {}, &Candidate::weight).weight; };
  switch (algorithm) {
    case Balance::round_robin:
      return pick_round_robin(candidates);
    case Balance::least_connections:
      return pick_least_connections(candidates);
    case Balance::power_of_two:
      return draw_two(candidates.size(), heaviest(), weight_at, active_at, chance.random);
    case Balance::random:
      return draw(candidates.size(), heaviest(), weight_at, chance.random);
    case Balance::first:
      return 0;
    case Balance::maglev:
      return pick_rendezvous(candidates, chance.client);
  }
  std::abort();
}

}  // namespace holdfast::balance
