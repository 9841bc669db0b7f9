#include "worker/topology.h"

#include <algorithm>
#include <cassert>
#include <random>
#include <set>

#include "holdfast/discovery/resolver.h"
#include "holdfast/pool/ejection.h"

namespace holdfast::worker {
namespace {

// What the configuration may name has a place in the shared state.
static_assert(kMaxThreads <= state::kMaxThreads);
static_assert(kMaxListeners <= state::kMaxListeners);
static_assert(kMaxPools <= state::kMaxPools);
static_assert(kMaxBackends <= state::kMaxBackends);
static_assert(kLongestName < state::kNameSize);
static_assert(kMaxConnectAttempts <= state::kMaxAttempts);

bool is_name(const Endpoint& endpoint) {
  return !SocketAddress::from(endpoint);
}

tl::unexpected<Error> too_many(std::string_view what, std::size_t most) {
  return fail("more than " + std::to_string(most) + " " + std::string(what) +
              " are configured or still have connections; try again when those have ended");
}

// Nothing when it isn't configured.
std::shared_ptr<pool::Pool> find_pool(const Topology& topology, std::uint16_t index) {
  const auto place = std::ranges::find_if(
      topology.pools, [index](const auto& pool) { return pool->index() == index; });
  return place == topology.pools.end() ? nullptr : *place;
}

std::shared_ptr<pool::Pool> pool_without_backends(std::uint16_t index, state::SharedState& shared) {
  PoolConfig config;
  config.name = state::to_view(shared.pools[index].name);
  return std::make_shared<pool::Pool>(config, index, std::vector<pool::Backend>{}, shared);
}

Result<std::shared_ptr<pool::Pool>> make_pool(const PoolConfig& config, const Answers& answers,
                                              const Topology& before, Entries& entries,
                                              state::SharedState& shared) {
  const auto index = entries.claim_pool(config.name);
  if (!index) {
    return too_many("pools", state::kMaxPools);
  }
  std::vector<pool::Backend> backends;
  // Not one search through all entries for each of thousands.
  const auto known = entries.backends_of(*index);
  for (const auto& backend : config.backends) {
    const auto entry = known.find(backend.name);
    const auto place = entry != known.end() ? std::optional(entry->second)
                                            : entries.claim_backend(*index, backend.name);
    if (!place) {
      return too_many("backends", state::kMaxBackends);
    }
    const auto address = address_of(backend.address, answers);
    backends.push_back({.index = *place,
                        .name = backend.name,
                        .address = address,
                        .check_address = check_address_of(config.health, address, answers),
                        .tier = backend.tier,
                        .max_connections = backend.max_connections});
  }
  return std::make_shared<pool::Pool>(config, *index, std::move(backends), shared,
                                      find_pool(before, *index).get(), std::random_device{}());
}

// An operator's weight counts until the configuration has another one than it had.
void publish_weight(unsigned weight, state::BackendEntry& entry) {
  auto& admin = entry.admin;
  if (admin.weight_is_set.get() == 0 || admin.configured_weight.get() != weight) {
    admin.weight_is_set.set(0);
    admin.configured_weight.set(weight);
    entry.weight.set(weight);
  }
}

void publish_backend(const BackendConfig& config, const pool::Backend& backend,
                     const HealthConfig& check, state::BackendEntry& entry) {
  const bool is_checked = check.type != CheckType::none;
  const auto address = backend.address.value_or(SocketAddress());
  // Nobody would take one back in that was down when its checks were turned off.
  const bool is_left_down =
      backend.address && !is_checked && entry.current_health() == state::Health::down;
  if (entry.retired.get() != 0 || entry.address != address || is_left_down) {
    const auto health = backend.address ? state::Health::unknown : state::Health::down;
    entry.health = {.state = health};
    entry.published_health.set(static_cast<std::uint32_t>(health));
    entry.came_back_at.set(0);
    entry.changed_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
    pool::forgive(entry.ejection);
  }
  if (check.type != CheckType::agent || entry.address != address) {
    entry.agent.clear();  // nobody would take back what an agent said that isn't asked any more
  }
  if (entry.retired.get() != 0) {
    entry.admin.clear();  // it is new, or was gone for good
  }
  entry.address = address;
  entry.tier.set(config.tier);
  entry.max_connections.set(config.max_connections);
  publish_weight(config.weight, entry);
  entry.retired.set(0);
}

// Marks those that nobody named.
template <class Array>
void retire_others(Array& array, const state::Gauge& touched,
                   const std::set<std::uint16_t>& named) {
  std::uint16_t index = 0;
  for (auto& entry : state::first_touched(array, touched)) {
    if (entry.name[0] != '\0' && !named.contains(index)) {
      entry.retired.set(1);
    }
    ++index;
  }
}

}  // namespace

Answers resolve_names(const Config& config, const std::map<std::string, SocketAddress>& known) {
  std::set<std::string> names;
  const auto ask = [&](const Endpoint& endpoint) {
    if (is_name(endpoint) && !known.contains(endpoint.host)) {
      names.insert(endpoint.host);
    }
  };
  for (const auto& listener : config.listeners) {
    for (const auto& bind : listener.bind) {
      ask(bind.endpoint);
    }
  }
  for (const auto& pool : config.pools) {
    for (const auto& backend : pool.backends) {
      ask(backend.address);
    }
    if (pool.health.address) {
      ask(*pool.health.address);
    }
  }
  auto answers = discovery::resolve(names);
  answers.insert(known.begin(), known.end());
  return answers;
}

std::map<std::string, SocketAddress> known_addresses(const Config& config, const Entries& entries,
                                                     const state::SharedState& shared) {
  std::map<std::string, SocketAddress> known;
  for (const auto& pool : config.pools) {
    const auto index = entries.find_pool(pool.name);
    if (!index) {
      continue;
    }
    const auto backends = entries.backends_of(*index);
    for (const auto& backend : pool.backends) {
      const auto entry = is_name(backend.address) ? backends.find(backend.name) : backends.end();
      if (entry != backends.end() && shared.backends[entry->second].address.size() != 0) {
        known.emplace(backend.address.host, shared.backends[entry->second].address);
      }
    }
    if (pool.health.address && is_name(*pool.health.address) &&
        shared.pools[*index].check_address.size() != 0) {
      known.emplace(pool.health.address->host, shared.pools[*index].check_address);
    }
  }
  const auto sockets = state::first_touched(shared.sockets, shared.sockets_touched);
  for (const auto& listener : config.listeners) {
    for (const auto& bind : listener.bind) {
      const auto socket = std::ranges::find_if(sockets, [&](const auto& one) {
        return one.is_used() && one.spelling == hash_of(bind.endpoint);
      });
      if (is_name(bind.endpoint) && socket != sockets.end()) {
        known.emplace(bind.endpoint.host, socket->asked);
      }
    }
  }
  return known;
}

std::optional<SocketAddress> address_of(const Endpoint& endpoint, const Answers& answers) {
  if (const auto numeric = SocketAddress::from(endpoint)) {
    return *numeric;
  }
  const auto answer = answers.find(endpoint.host);
  if (answer == answers.end() || !answer->second) {
    return std::nullopt;
  }
  return (*answer->second).with_port(endpoint.port);
}

std::optional<SocketAddress> check_address_of(const HealthConfig& health,
                                              const std::optional<SocketAddress>& backend,
                                              const Answers& answers) {
  if (health.address) {
    return address_of(*health.address, answers).value_or(SocketAddress());
  }
  return backend && health.port != 0
             ? std::optional(backend->with_port(static_cast<std::uint16_t>(health.port)))
             : std::nullopt;
}

std::uint64_t hash_of(const Endpoint& endpoint) {
  std::uint64_t hash = 0xcbf2'9ce4'8422'2325;
  for (const char c : endpoint.to_string()) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 0x100'0000'01b3;
  }
  return hash;
}

Result<Topology> make_topology(const Config& config, const Answers& answers, const Topology& before,
                               Entries& entries, state::SharedState& shared) {
  Topology topology;
  for (const auto& pool_config : config.pools) {
    auto pool = make_pool(pool_config, answers, before, entries, shared);
    if (!pool) {
      return tl::unexpected(pool.error());
    }
    topology.pools.push_back(std::move(*pool));
  }
  for (const auto& listener : config.listeners) {
    const auto index = entries.claim_listener(listener.name);
    if (!index) {
      return too_many("listeners", state::kMaxListeners);
    }
    const auto pool = std::ranges::find_if(
        topology.pools, [&](const auto& made) { return made->name() == listener.pool; });
    assert(pool != topology.pools.end() && "validated");
    topology.listeners.push_back({.index = *index,
                                  .name = listener.name,
                                  .pool = *pool,
                                  .idle_timeout = listener.idle_timeout,
                                  .half_close_timeout = listener.half_close_timeout});
  }
  return topology;
}

void publish(const Config& config, const Topology& topology, state::SharedState& shared) {
  std::set<std::uint16_t> pools;
  std::set<std::uint16_t> backends;
  std::set<std::uint16_t> listeners;
  for (std::size_t i = 0; i < topology.pools.size(); ++i) {
    const auto& pool = *topology.pools[i];
    for (std::size_t k = 0; k < pool.backends().size(); ++k) {
      const auto& backend = pool.backends()[k];
      publish_backend(config.pools[i].backends[k], backend, pool.config().health,
                      pool.entry(backend));
      if (!pool.config().passive.is_on) {
        pool::forgive(pool.entry(backend).ejection);
      }
      backends.insert(backend.index);
    }
    auto& entry = shared.pools[pool.index()];
    entry.check_address = pool.backends().empty() || !pool.config().health.address
                              ? SocketAddress()
                              : pool.backends()[0].check_address.value_or(SocketAddress());
    entry.retired.set(0);
    pools.insert(pool.index());
  }
  for (const auto& listener : topology.listeners) {
    auto& entry = shared.listeners[listener.index];
    entry.pool = listener.pool->index();
    entry.idle_timeout = Duration(listener.idle_timeout).count();
    entry.half_close_timeout = Duration(listener.half_close_timeout).count();
    entry.retired.set(0);
    listeners.insert(listener.index);
  }
  retire_others(shared.backends, shared.backends_touched, backends);
  retire_others(shared.pools, shared.pools_touched, pools);
  retire_others(shared.listeners, shared.listeners_touched, listeners);
}

std::vector<relay::ListenerSettings> former_listeners(const Topology& topology,
                                                      state::SharedState& shared) {
  std::vector<relay::ListenerSettings> former;
  std::uint16_t index = 0;
  for (const auto& entry : state::first_touched(shared.listeners, shared.listeners_touched)) {
    if (entry.name[0] != '\0' && entry.retired.get() != 0 && entry.pool < shared.pools.size()) {
      const auto pool = find_pool(topology, entry.pool);
      former.push_back({.index = index,
                        .name = std::string(state::to_view(entry.name)),
                        .pool = pool ? pool : pool_without_backends(entry.pool, shared),
                        .idle_timeout = Duration(entry.idle_timeout),
                        .half_close_timeout = Duration(entry.half_close_timeout)});
    }
    ++index;
  }
  return former;
}

}  // namespace holdfast::worker
