#include "config/validate.h"

#include <algorithm>
#include <set>

#include "config/choosing_rules.h"
#include "config/pool_rules.h"
#include "config/rules.h"
#include "config/socket_rules.h"
#include "config/taken_addresses.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/config/suggest.h"

namespace holdfast {
namespace {

void check_binds(const Config& config, Diagnostics& diagnostics) {
  TakenAddresses addresses;
  const auto check = [&](const Endpoint& endpoint, Mark mark) {
    if (endpoint == Endpoint{} || (endpoint.kind == Endpoint::Kind::inet && endpoint.port == 0)) {
      return;  // unreadable, or the kernel's choice of port
    }
    if (const auto taken = addresses.take(endpoint, mark)) {
      const auto line = taken->line;
      const std::string ours =
          endpoint.kind == Endpoint::Kind::unix_path ? "admin.socket" : "admin.http";
      error(diagnostics, mark,
            endpoint.to_string() + " is taken already, " +
                (line > 0 ? "in line " + std::to_string(line) : "by " + ours + "'s default"),
            line > 0 ? "" : "set " + ours + " to another address or to off",
            endpoint.to_string().size());
    }
  };
  if (config.admin.http) {
    check(*config.admin.http, config.admin.http_mark);
    if (!SocketAddress::from(*config.admin.http)) {
      error(diagnostics, config.admin.http_mark,
            "'" + config.admin.http->host + "' is not a numeric address", "as in 127.0.0.1:9870",
            config.admin.http->to_string().size());
    }
  }
  if (config.admin.socket) {
    check(*config.admin.socket, config.admin.socket_mark);
  }
  for (const auto& listener : config.listeners) {
    if (listener.bind.empty() && !listener.name.empty() && listener.bind_mark.line > 0) {
      error(diagnostics, listener.bind_mark, "'bind' needs at least one address");
    }
    for (const auto& bind : listener.bind) {
      check(bind.endpoint, bind.mark);
    }
  }
}

void check_pools_exist(const Config& config, Diagnostics& diagnostics) {
  std::vector<std::string_view> names;
  for (const auto& pool : config.pools) {
    names.push_back(pool.name);
  }
  // A name that can't be read may well be the one that is meant.
  const bool all_named = std::ranges::find(names, "") == names.end();
  std::set<std::string_view> used;
  bool all_known = true;
  for (const auto& listener : config.listeners) {
    used.insert(listener.pool);
    if (std::ranges::find(names, listener.pool) != names.end()) {
      continue;
    }
    all_known = false;
    if (all_named && listener.pool_mark.line > 0) {
      error(diagnostics, listener.pool_mark, "there is no pool '" + listener.pool + "'",
            names.empty() ? "" : suggest(listener.pool, names), listener.pool.size());
    }
  }
  // Not beside an unknown name, which may well be meant for the pool that looks unused.
  for (const auto& pool : config.pools) {
    if (all_known && !pool.name.empty() && !used.contains(pool.name)) {
      warning(diagnostics, pool.name_mark, "no listener uses pool '" + pool.name + "'",
              "write pool: " + pool.name + " in a listener, or remove it");
    }
  }
}

void check_circles(const Config& config, Diagnostics& diagnostics) {
  for (const auto& listener : config.listeners) {
    const auto pool = std::ranges::find(config.pools, listener.pool, &PoolConfig::name);
    if (pool == config.pools.end()) {
      continue;
    }
    for (const auto& backend : pool->backends) {
      const auto& address = backend.address;
      if (address != Endpoint{} &&
          std::ranges::find(listener.bind, address, &BindConfig::endpoint) != listener.bind.end()) {
        error(diagnostics, backend.address_mark,
              "backend '" + backend.name + "' is its own listener '" + listener.name +
                  "': its connections would go round in circles",
              "write the address that the backend itself listens on", address.to_string().size());
      }
    }
  }
}

}  // namespace

void validate(const Config& config, Diagnostics& diagnostics) {
  check_names(config.listeners, "listener", diagnostics);
  check_names(config.pools, "pool", diagnostics);
  check_binds(config, diagnostics);
  check_pools_exist(config, diagnostics);
  check_circles(config, diagnostics);
  for (const auto& listener : config.listeners) {
    check_sockets(listener, diagnostics);
  }
  if (config.listeners.empty() && config.listeners_mark.line > 0) {
    warning(diagnostics, config.listeners_mark, "there are no listeners: nothing is balanced",
            "as in { name: web, bind: \"0.0.0.0:8080\", pool: web }");
  }
  check_choosing(config, diagnostics);
  std::size_t backends = 0;
  for (const auto& pool : config.pools) {
    check_pool(pool, diagnostics);
    backends += pool.backends.size();
    if (backends > kMaxBackends) {
      error(diagnostics, pool.name_mark,
            "there are more than " + std::to_string(kMaxBackends) + " backends");
      return;
    }
  }
}

}  // namespace holdfast
