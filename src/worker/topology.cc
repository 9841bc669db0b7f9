#include "worker/topology.h"

#include <map>
#include <set>

#include "holdfast/discovery/resolver.h"

namespace holdfast::worker {
namespace {

// What the configuration may name has a place in the shared state.
static_assert(kMaxThreads <= state::kMaxThreads);
static_assert(kMaxListeners <= state::kMaxListeners);
static_assert(kMaxPools <= state::kMaxPools);
static_assert(kMaxBackends <= state::kMaxBackends);
static_assert(kLongestName < state::kNameSize);
static_assert(kMaxConnectAttempts <= state::kMaxAttempts);

using Answers = std::map<std::string, Result<SocketAddress>>;

std::set<std::string> names_to_resolve(const Config& config) {
  std::set<std::string> names;
  for (const auto& pool : config.pools) {
    for (const auto& backend : pool.backends) {
      if (!SocketAddress::from(backend.address)) {
        names.insert(backend.address.host);
      }
    }
  }
  return names;
}

Result<SocketAddress> address_of(const Endpoint& endpoint, const Answers& answers) {
  if (auto numeric = SocketAddress::from(endpoint)) {
    return numeric;
  }
  return answers.at(endpoint.host).map([&](const SocketAddress& address) {
    return address.with_port(endpoint.port);
  });
}

void begin_entry(state::BackendEntry& entry, const BackendConfig& backend, std::uint16_t pool,
                 state::Health health) {
  entry.name = state::to_name(backend.name);
  entry.pool = pool;
  entry.weight.set(backend.weight);
  entry.health.state = health;
  entry.published_health.set(static_cast<std::uint32_t>(health));
  entry.changed_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
}

}  // namespace

std::vector<std::unique_ptr<pool::Pool>> make_pools(const Config& config,
                                                    state::SharedState& shared, Log& log) {
  const auto answers = discovery::resolve(names_to_resolve(config));
  std::vector<std::unique_ptr<pool::Pool>> pools;
  std::uint16_t next_backend = 0;
  for (const auto& pool : config.pools) {
    const auto index = static_cast<std::uint16_t>(pools.size());
    shared.pools[index].name = state::to_name(pool.name);
    std::vector<pool::Backend> backends;
    for (const auto& backend : pool.backends) {
      pool::Backend made{next_backend++, backend.name, std::nullopt};
      auto address = address_of(backend.address, answers);
      if (address) {
        made.address = *address;
      } else {
        log.warning("backend down", {{"pool", pool.name},
                                     {"backend", backend.name},
                                     {"reason", address.error().message},
                                     {"address", backend.address.to_string()}});
      }
      begin_entry(shared.backends[made.index], backend, index,
                  address ? state::Health::unknown : state::Health::down);
      backends.push_back(std::move(made));
    }
    pools.push_back(std::make_unique<pool::Pool>(pool, index, std::move(backends), shared));
  }
  return pools;
}

}  // namespace holdfast::worker
