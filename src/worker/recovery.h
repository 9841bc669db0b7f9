#pragma once

#include <set>
#include <vector>

#include "holdfast/relay/relay.h"
#include "holdfast/state/region.h"

namespace holdfast::worker {

// What a worker finds that another one left.
struct Inheritance {
  std::vector<relay::AcceptedClient> unrecorded;  // accepted, and killed before it was noted
  unsigned threads = 0;                           // up to the last one that has connections
  std::size_t connections = 0;
  std::size_t quarantined = 0;  // closed, because workers died of them
};

// Takes stock before anything runs: the first thing a successor does, on its only thread.
//
// The dead worker shared its descriptor table with its guardian, so everything it had open still
// is. What a live record, a listening socket or `kept` names stays; a connected socket whose own
// address is a listener's was accepted and not recorded, and is returned; everything else is
// closed: the old event loops, idle pipes, half-made sockets, scrapers of the admin address.
// Counts that can be read off the records (connections on each backend and listener) are.
[[nodiscard]] Inheritance take_over(const state::Region& region, const std::set<int>& kept);

}  // namespace holdfast::worker
