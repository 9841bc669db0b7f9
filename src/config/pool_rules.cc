#include "config/pool_rules.h"

#include <algorithm>

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
            "pool '" + pool.name + "' has no backends: it takes no connections");
  }
  if (!pool.backends.empty() &&
      std::ranges::all_of(pool.backends, [](const auto& backend) { return backend.weight == 0; })) {
    warning(diagnostics, pool.name_mark,
            "all weights in pool '" + pool.name + "' are 0: it takes no connections");
  }
}

}  // namespace

void check_pool(const PoolConfig& pool, Diagnostics& diagnostics) {
  check_backends(pool, diagnostics);
  check_sockets(pool, diagnostics);
  const auto& health = pool.health;
  if (health.type == CheckType::tcp && health.timeout > health.interval) {
    const auto mark = health.timeout_mark.line > 0 ? health.timeout_mark : pool.name_mark;
    warning(diagnostics, mark,
            "health.timeout (" + format_duration(health.timeout) +
                ") is longer than health.interval (" + format_duration(health.interval) + ")",
            "checks then come as rarely as the timeout");
  }
  if (pool.connect.attempts_mark.line > 0 && pool.connect.attempts > pool.backends.size() &&
      !pool.backends.empty()) {
    warning(diagnostics, pool.connect.attempts_mark,
            "connect.attempts is more than the pool's " + std::to_string(pool.backends.size()) +
                " backends",
            "no backend is tried twice for one connection");
  }
}

}  // namespace holdfast
