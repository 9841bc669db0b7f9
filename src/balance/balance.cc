#include "holdfast/balance/balance.h"

#include <cstdlib>

#include "balance/least_connections.h"
#include "balance/round_robin.h"

namespace holdfast::balance {

std::optional<std::size_t> pick(Balance algorithm, std::span<const Candidate> candidates) {
  if (candidates.empty()) {
    return std::nullopt;
  }
  switch (algorithm) {
    case Balance::round_robin:
      return pick_round_robin(candidates);
    case Balance::least_connections:
      return pick_least_connections(candidates);
  }
  std::abort();
}

}  // namespace holdfast::balance
