#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "holdfast/base/log.h"
#include "holdfast/config/config.h"
#include "holdfast/pool/pool.h"
#include "holdfast/relay/relay.h"
#include "holdfast/state/shared_state.h"
#include "worker/entries.h"

namespace holdfast::worker {

// What the configuration comes to: pools with their backends' addresses, listeners with their
// pools. Immutable; a changed configuration makes another one.
struct Topology {
  std::vector<std::shared_ptr<pool::Pool>> pools;  // in the configuration's order
  std::vector<relay::ListenerSettings> listeners;  // in the configuration's order
};

// What the host names of a configuration, in backends, checks and binds, resolved to, or why they
// didn't.
using Answers = std::map<std::string, Result<SocketAddress>>;

// Asks for all host names of `config` but those that are known, which are answered from there.
// Blocks, for as long as name servers take; any thread.
[[nodiscard]] Answers resolve_names(const Config& config,
                                    const std::map<std::string, SocketAddress>& known = {});

// The addresses that host names have in the shared state, according to the configuration they were
// made from; ports are anything.
[[nodiscard]] std::map<std::string, SocketAddress> known_addresses(
    const Config& config, const Entries& entries, const state::SharedState& shared);

// Nothing when its name didn't resolve.
[[nodiscard]] std::optional<SocketAddress> address_of(const Endpoint& endpoint,
                                                      const Answers& answers);

// Where a backend at this address is checked instead of there, if anywhere; size 0: that name
// didn't resolve.
[[nodiscard]] std::optional<SocketAddress> check_address_of(
    const HealthConfig& health, const std::optional<SocketAddress>& backend,
    const Answers& answers);

// Of an address as it is spelled (FNV-1a), the same in every build: a successor finds by it what a
// name in `bind` had resolved to.
[[nodiscard]] std::uint64_t hash_of(const Endpoint& endpoint);

// Gives every pool, backend and listener of the configuration its entry in the shared state.
// Nothing that is in use is changed. A name that failed leaves its backends without an address.
// `before` is what this one is to succeed. The error says of what there is too much.
[[nodiscard]] Result<Topology> make_topology(const Config& config, const Answers& answers,
                                             const Topology& before, Entries& entries,
                                             state::SharedState& shared);

// Puts weights, addresses and timeouts into the shared state, where relay threads see them at their
// next pick; entries that the topology doesn't have are retired. Backends that are new, or at
// another address under an old name, begin with unknown health.
void publish(const Config& config, const Topology& topology, state::SharedState& shared);

// Listeners that are configured no longer and may still have connections, clients that wait or are
// being connected among them: each with the pool it had. Where that is gone too, with one that has
// no backends: nobody is left who would serve them.
[[nodiscard]] std::vector<relay::ListenerSettings> former_listeners(const Topology& topology,
                                                                    state::SharedState& shared);

}  // namespace holdfast::worker
