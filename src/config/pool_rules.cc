#include "config/pool_rules.h"

#include <algorithm>

#include "config/health_rules.h"
#include "config/socket_rules.h"
#include "config/units.h"

namespace holdfast {
namespace {

void check_backends(const PoolConfig& pool, Diagnostics& diagnostics) {
  check_names(pool.backends, "backend", diagnostics);
  for (const auto& backend : pool.backends) {
    if (backend.address != Endpoint{} && backend.address.kind == Endpoint::Kind::inet &&
        backend.address.port == 0) {
      error(diagnostics, backend.address_mark, "a backend can't have port 0",
            "write the port it listens on", backend.address.to_string().size());
    }
  }
  if (pool.backends.empty() && pool.backends_mark.line > 0) {
    warning(diagnostics, pool.backends_mark,
            "pool '" + pool.name + "' has no backends: it takes no connections",
            "as in { name: " + (pool.name.empty() ? "web" : pool.name) +
                "-1, address: \"10.0.0.11:8080\" }");
  }
  if (!pool.backends.empty() &&
      std::ranges::all_of(pool.backends, [](const auto& backend) { return backend.weight == 0; })) {
    warning(diagnostics, pool.name_mark,
            "all weights in pool '" + pool.name + "' are 0: it takes no connections",
            "write a weight from 1 to 1000 for one of its backends");
  }
}

void check_connect(const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& connect = pool.connect;
  if (connect.total_mark.line > 0 && connect.total < connect.timeout) {
    warning(diagnostics, connect.total_mark,
            "connect.total (" + format_duration(connect.total) +
                ") is shorter than connect.timeout (" + format_duration(connect.timeout) + ")",
            "no attempt has its whole timeout; write a longer total or a shorter timeout");
  }
  if (connect.hedge_after_mark.line == 0 || connect.hedge_after == Milliseconds(0)) {
    return;
  }
  if (connect.hedge_after && *connect.hedge_after >= connect.timeout) {
    warning(diagnostics, connect.hedge_after_mark,
            "connect.hedge_after (" + format_duration(*connect.hedge_after) +
                ") isn't shorter than connect.timeout (" + format_duration(connect.timeout) + ")",
            "an attempt has ended before a second one could race it; write 'off' if that is meant");
  } else if (connect.attempts == 1) {
    warning(diagnostics, connect.hedge_after_mark,
            "connect.hedge_after has no effect: connect.attempts is 1",
            "a second connect that races the first is an attempt; write attempts: 2 or more");
  } else if (pool.backends.size() == 1) {
    warning(diagnostics, connect.hedge_after_mark,
            "connect.hedge_after has no effect: the pool has one backend",
            "a second connect goes to another backend; add one, or write 'off'");
  }
}

void check_passive(const PoolConfig& pool, Diagnostics& diagnostics) {
  if (pool.passive.mark.line > 0 && pool.passive.is_on && pool.backends.size() == 1) {
    warning(diagnostics, pool.passive.mark, "passive has no effect: the pool has one backend",
            "a backend is only taken out while another one serves; add one, or write 'off'");
  }
}

void check_replay(const PoolConfig& pool, Diagnostics& diagnostics) {
  if (pool.replay.up_to > 0 && (pool.connect.attempts == 1 || pool.backends.size() == 1)) {
    warning(diagnostics, pool.replay.mark,
            std::string("replay has no effect: ") +
                (pool.backends.size() == 1 ? "the pool has one backend" : "connect.attempts is 1"),
            "what a client has sent goes to another backend, which is another attempt");
  }
}

}  // namespace

void check_pool(const PoolConfig& pool, Diagnostics& diagnostics) {
  check_backends(pool, diagnostics);
  check_sockets(pool, diagnostics);
  check_connect(pool, diagnostics);
  check_passive(pool, diagnostics);
  check_replay(pool, diagnostics);
  check_health(pool, diagnostics);
  const bool has_tiers = std::ranges::any_of(pool.backends, [&](const auto& backend) {
    return backend.tier != pool.backends.front().tier;
  });
  if (pool.on_up_from_lower_tier == Established::close && !has_tiers) {
    warning(diagnostics, pool.on_up_from_lower_tier_mark,
            "on_up_from_lower_tier: close does nothing in a pool of one tier",
            "give some backends a tier: 1, or remove it");
  }
  if (pool.on_down == Established::close && pool.health.type == CheckType::none) {
    warning(diagnostics, pool.on_down_mark,
            "on_down: close does nothing without checks: no backend goes down",
            "write health: { type: tcp }");
  }
  if (pool.connect.attempts_mark.line > 0 && pool.connect.attempts > pool.backends.size() &&
      !pool.backends.empty()) {
    warning(diagnostics, pool.connect.attempts_mark,
            "connect.attempts is more than the pool's " + count_of(pool.backends.size(), "backend"),
            "no backend is tried twice for one connection; write " +
                std::to_string(pool.backends.size()) + " at most");
  }
}

}  // namespace holdfast
