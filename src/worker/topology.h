#pragma once

#include <memory>
#include <vector>

#include "holdfast/base/log.h"
#include "holdfast/config/config.h"
#include "holdfast/pool/pool.h"
#include "holdfast/relay/relay.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::worker {

// What the configuration comes to: pools with their backends' addresses, listeners with their
// pools. Immutable; a changed configuration makes another one.
struct Topology {
  std::vector<std::shared_ptr<pool::Pool>> pools;  // in the configuration's order
  std::vector<relay::ListenerSettings> listeners;  // in the configuration's order
  std::vector<relay::ListenerSettings> former;     // of connections older than the configuration
};

// Gives every pool, backend and listener its entry in the shared state: the one with its name if
// there is one, so that health, weights, positions and counters go on, else a free one. Host names
// are resolved here, which may block; a name that fails is a warning and a backend that is down.
// With `keep_addresses`, after a crash, names that were resolved before aren't asked for again.
// The error says of what there is too much.
[[nodiscard]] Result<Topology> make_topology(const Config& config, bool keep_addresses,
                                             state::SharedState& shared, Log& log);

}  // namespace holdfast::worker
