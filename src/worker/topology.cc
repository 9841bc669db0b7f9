#include "worker/topology.h"

#include <algorithm>
#include <cassert>
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

template <class Entry, std::size_t Size>
std::size_t find_entry(const std::array<Entry, Size>& entries, std::string_view name) {
  std::size_t index = 0;
  // Entries are used from the front and never become nameless again.
  while (index < Size && !state::to_view(entries[index].name).empty() &&
         state::to_view(entries[index].name) != name) {
    ++index;
  }
  return index;
}

class Builder {
 public:
  Builder(const Config& config, bool keep_addresses, state::SharedState& shared, Log& log)
      : config_(config), keep_addresses_(keep_addresses), shared_(shared), log_(log) {}

  Result<Topology> build() {
    answers_ = discovery::resolve(names_to_resolve());
    for (const auto& pool : config_.pools) {
      if (auto added = add_pool(pool); !added) {
        return tl::unexpected(added.error());
      }
    }
    for (const auto& listener : config_.listeners) {
      if (auto added = add_listener(listener); !added) {
        return tl::unexpected(added.error());
      }
    }
    add_former();
    return std::move(topology_);
  }

 private:
  [[nodiscard]] std::set<std::string> names_to_resolve() const {
    std::set<std::string> names;
    for (const auto& pool : config_.pools) {
      for (const auto& backend : pool.backends) {
        if (!SocketAddress::from(backend.address) && !known_address(pool, backend)) {
          names.insert(backend.address.host);
        }
      }
    }
    return names;
  }

  [[nodiscard]] std::size_t backend_index(std::size_t pool, std::string_view name) const {
    std::size_t index = 0;
    while (index < shared_.backends.size()) {
      const auto& entry = shared_.backends[index];
      if (state::to_view(entry.name).empty() ||
          (entry.pool == pool && state::to_view(entry.name) == name)) {
        break;
      }
      ++index;
    }
    return index;
  }

  [[nodiscard]] std::optional<SocketAddress> known_address(const PoolConfig& pool,
                                                           const BackendConfig& backend) const {
    if (!keep_addresses_) {
      return std::nullopt;
    }
    const auto index = backend_index(find_entry(shared_.pools, pool.name), backend.name);
    if (index == shared_.backends.size() || shared_.backends[index].address.size() == 0) {
      return std::nullopt;
    }
    return shared_.backends[index].address;
  }

  [[nodiscard]] Result<SocketAddress> address_of(const PoolConfig& pool,
                                                 const BackendConfig& backend) const {
    if (auto numeric = SocketAddress::from(backend.address)) {
      return numeric;
    }
    if (const auto known = known_address(pool, backend)) {
      return *known;
    }
    return answers_.at(backend.address.host).map([&](const SocketAddress& address) {
      return address.with_port(backend.address.port);
    });
  }

  Result<void> add_pool(const PoolConfig& config) {
    const auto index = find_entry(shared_.pools, config.name);
    if (index == shared_.pools.size()) {
      return fail("there were more than " + std::to_string(state::kMaxPools) +
                  " different pools since the start");
    }
    shared_.pools[index].name = state::to_name(config.name);
    std::vector<pool::Backend> backends;
    for (const auto& backend : config.backends) {
      auto added = add_backend(static_cast<std::uint16_t>(index), config, backend);
      if (!added) {
        return tl::unexpected(added.error());
      }
      backends.push_back(std::move(*added));
    }
    topology_.pools.push_back(std::make_shared<pool::Pool>(
        config, static_cast<std::uint16_t>(index), std::move(backends), shared_));
    return {};
  }

  Result<pool::Backend> add_backend(std::uint16_t pool, const PoolConfig& pool_config,
                                    const BackendConfig& config) {
    const auto index = backend_index(pool, config.name);
    if (index == shared_.backends.size()) {
      return fail("there were more than " + std::to_string(state::kMaxBackends) +
                  " different backends since the start");
    }
    auto& entry = shared_.backends[index];
    const bool is_new = state::to_view(entry.name).empty();
    pool::Backend backend{static_cast<std::uint16_t>(index), config.name, std::nullopt};
    auto address = address_of(pool_config, config);
    if (address) {
      backend.address = *address;
    } else {
      log_.warning("backend down", {{"pool", pool_config.name},
                                    {"backend", config.name},
                                    {"reason", address.error().message},
                                    {"address", config.address.to_string()}});
    }
    const auto before = entry.address;
    entry.address = address.value_or(SocketAddress());
    if (is_new || entry.address != before) {
      begin_health(entry, address ? state::Health::unknown : state::Health::down);
    }
    entry.weight.set(config.weight);
    entry.pool = pool;
    entry.name = state::to_name(config.name);
    return backend;
  }

  // Of a backend that is new, or that is another one now under an old name.
  static void begin_health(state::BackendEntry& entry, state::Health health) {
    entry.health = {.state = health};
    entry.published_health.set(static_cast<std::uint32_t>(health));
    entry.changed_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
  }

  Result<void> add_listener(const ListenerConfig& config) {
    const auto index = find_entry(shared_.listeners, config.name);
    if (index == shared_.listeners.size()) {
      return fail("there were more than " + std::to_string(state::kMaxListeners) +
                  " different listeners since the start");
    }
    const auto pool = std::ranges::find_if(
        topology_.pools, [&](const auto& made) { return made->name() == config.pool; });
    assert(pool != topology_.pools.end() && "validated");
    auto& entry = shared_.listeners[index];
    entry.pool = (*pool)->index();
    entry.idle_timeout = Duration(config.idle_timeout).count();
    entry.half_close_timeout = Duration(config.half_close_timeout).count();
    entry.name = state::to_name(config.name);
    topology_.listeners.push_back({.index = static_cast<std::uint16_t>(index),
                                   .name = config.name,
                                   .pool = *pool,
                                   .idle_timeout = config.idle_timeout,
                                   .half_close_timeout = config.half_close_timeout});
    return {};
  }

  // Listeners that are configured no longer, which may still have connections: they run on to
  // their end, and none is connected anew.
  void add_former() {
    for (std::size_t index = 0; index < shared_.listeners.size(); ++index) {
      const auto& entry = shared_.listeners[index];
      if (state::to_view(entry.name).empty()) {
        return;
      }
      const auto configured = std::ranges::any_of(
          topology_.listeners, [&](const auto& listener) { return listener.index == index; });
      if (configured || entry.pool >= shared_.pools.size()) {
        continue;
      }
      PoolConfig no_backends;
      no_backends.name = state::to_view(shared_.pools[entry.pool].name);
      topology_.former.push_back(
          {.index = static_cast<std::uint16_t>(index),
           .name = std::string(state::to_view(entry.name)),
           .pool = std::make_shared<pool::Pool>(no_backends, entry.pool,
                                                std::vector<pool::Backend>{}, shared_),
           .idle_timeout = Duration(entry.idle_timeout),
           .half_close_timeout = Duration(entry.half_close_timeout)});
    }
  }

  const Config& config_;
  bool keep_addresses_;
  state::SharedState& shared_;
  Log& log_;
  Answers answers_;
  Topology topology_;
};

}  // namespace

Result<Topology> make_topology(const Config& config, bool keep_addresses,
                               state::SharedState& shared, Log& log) {
  return Builder(config, keep_addresses, shared, log).build();
}

}  // namespace holdfast::worker
