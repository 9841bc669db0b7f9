#include "config/choosing_rules.h"

#include <algorithm>
#include <set>

#include "holdfast/base/socket_address.h"

namespace holdfast {
namespace {

bool is_prime(unsigned number) {
  for (unsigned divisor = 2; divisor <= number / divisor; ++divisor) {
    if (number % divisor == 0) {
      return false;
    }
  }
  return number >= 2;
}

std::string nearest_primes(unsigned number) {
  unsigned below = number;
  while (below > 2 && !is_prime(below)) {
    --below;
  }
  unsigned above = number;
  while (!is_prime(above)) {
    ++above;
  }
  return std::to_string(below) + " or " + std::to_string(above);
}

// How many of the addresses that clients of the pool come by are Unix sockets.
struct Binds {
  std::size_t all = 0;
  std::size_t unix_paths = 0;
};

Binds binds_of(const Config& config, const PoolConfig& pool) {
  Binds binds;
  for (const auto& listener : config.listeners) {
    if (listener.pool != pool.name) {
      continue;
    }
    for (const auto& bind : listener.bind) {
      ++binds.all;
      binds.unix_paths += bind.endpoint.kind == Endpoint::Kind::unix_path ? 1 : 0;
    }
  }
  return binds;
}

void check_hash(const Config& config, const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& hash = pool.hash;
  if (pool.balance != Balance::maglev) {
    if (hash.mark.line > 0) {
      warning(diagnostics, hash.mark, "only balance: maglev has a use for 'hash'",
              "remove it, or write balance: maglev");
    }
    return;
  }
  if (hash.table_size_mark.line > 0 && !is_prime(hash.table_size)) {
    const auto given = std::to_string(hash.table_size);
    error(diagnostics, hash.table_size_mark, given + " is not a prime number",
          "write " + nearest_primes(hash.table_size), given.size());
  } else if (hash.table_size < pool.backends.size()) {
    const auto given = std::to_string(hash.table_size);
    error(diagnostics, hash.table_size_mark,
          "a table of " + given + " has no place for " + std::to_string(pool.backends.size()) +
              " backends",
          "a hundred times as many are even to about 1 %: write a prime above " +
              std::to_string(pool.backends.size() * 100),
          given.size());
  }
  const auto binds = binds_of(config, pool);
  const auto mark = hash.mark.line > 0 ? hash.mark : pool.balance_mark;
  if (binds.all > 0 && binds.all == binds.unix_paths) {
    error(diagnostics, mark,
          "pool '" + pool.name + "' has nothing to hash: clients of Unix sockets have no address",
          "choose another 'balance'");
  } else if (binds.unix_paths > 0) {
    warning(diagnostics, mark,
            "clients of Unix sockets have no address to hash: in pool '" + pool.name +
                "' they are spread at random",
            "choose another 'balance' if that isn't meant");
  }
}

void check_tiers(const PoolConfig& pool, Diagnostics& diagnostics) {
  std::set<unsigned> used;
  for (const auto& backend : pool.backends) {
    used.insert(backend.tier);
  }
  unsigned expected = 0;
  for (const unsigned tier : used) {
    if (tier != expected) {
      const auto first = std::ranges::find_if(
          pool.backends, [tier](const auto& backend) { return backend.tier == tier; });
      warning(diagnostics, first->tier_mark,
              "pool '" + pool.name + "' has no backend in tier " + std::to_string(expected),
              "write tier: " + std::to_string(expected) + ", or give tier " +
                  std::to_string(expected) + " a backend");
    }
    expected = tier + 1;
  }
  if (pool.min_healthy_mark.line == 0 || used.empty()) {
    return;
  }
  const auto in_first = static_cast<std::size_t>(
      std::ranges::count_if(pool.backends, [lowest = *used.begin()](const auto& backend) {
        return backend.tier == lowest && backend.weight > 0;
      }));
  if (used.size() == 1) {
    warning(diagnostics, pool.min_healthy_mark, "min_healthy does nothing in a pool of one tier",
            "give some backends a tier: 1, or remove it");
  } else if (pool.min_healthy > in_first) {
    warning(diagnostics, pool.min_healthy_mark,
            "min_healthy is more than the " + count_of(in_first, "backend") + " of tier " +
                std::to_string(*used.begin()) + ": the next tier is always in use",
            "write " + std::to_string(std::max<std::size_t>(in_first, 1)) + " at most");
  }
}

// Whether a backend can ever be less than healthy: by its checks, by its connections, or because
// its name isn't resolved.
bool can_go_down(const PoolConfig& pool) {
  return pool.health.type != CheckType::none || (pool.passive.is_on && pool.backends.size() > 1) ||
         std::ranges::any_of(pool.backends, [](const auto& backend) {
           return !SocketAddress::from(backend.address);
         });
}

void check_health_counts(const PoolConfig& pool, Diagnostics& diagnostics) {
  if (pool.backends.empty()) {
    return;  // which is said already
  }
  if (pool.panic_threshold > 0 && !can_go_down(pool)) {
    warning(diagnostics, pool.panic_threshold_mark,
            "panic_threshold does nothing: no backend of pool '" + pool.name + "' can go down",
            "write health: { type: tcp }, or remove it");
  }
  if (pool.slow_start > Milliseconds(0) && pool.backends.size() == 1) {
    warning(diagnostics, pool.slow_start_mark, "slow_start has no effect: the pool has one backend",
            "one that is alone gets everything; add another one, or remove it");
  }
}

void check_limits(const Config& config, const PoolConfig& pool, Diagnostics& diagnostics) {
  bool any_limit = false;
  for (const auto& backend : pool.backends) {
    any_limit = any_limit || backend.max_connections > 0;
    if (config.max_connections && backend.max_connections > *config.max_connections) {
      warning(diagnostics, backend.max_connections_mark,
              "max_connections " + std::to_string(backend.max_connections) +
                  " is never reached: there are never more than the " +
                  std::to_string(*config.max_connections) +
                  " connections of the top level's "
                  "max_connections",
              "write less, or raise the other");
    }
  }
  if (pool.queue.size > 0 && !any_limit && !pool.backends.empty()) {
    warning(diagnostics, pool.queue.mark,
            "nobody will wait in this queue: no backend of pool '" + pool.name +
                "' has max_connections",
            "give backends a max_connections, or remove 'queue'");
  }
  if (config.max_connections && pool.queue.size > *config.max_connections) {
    warning(diagnostics, pool.queue.mark,
            "this queue never fills: clients in it count for the top level's max_connections (" +
                std::to_string(*config.max_connections) + ")",
            "write a smaller size, or raise the other");
  }
}

}  // namespace

void check_choosing(const Config& config, Diagnostics& diagnostics) {
  for (const auto& pool : config.pools) {
    check_hash(config, pool, diagnostics);
    check_tiers(pool, diagnostics);
    check_health_counts(pool, diagnostics);
    check_limits(config, pool, diagnostics);
  }
}

}  // namespace holdfast
