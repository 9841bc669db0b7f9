#include "config/validate.h"

#include <algorithm>
#include <map>
#include <set>

#include "config/taken_addresses.h"
#include "config/units.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/config/suggest.h"

namespace holdfast {
namespace {

using Severity = Diagnostic::Severity;

void error(Diagnostics& diagnostics, Mark mark, std::string message, std::string help = {},
           std::size_t length = 1) {
  diagnostics.push_back({Severity::error, mark, std::move(message), std::move(help), length});
}

void warning(Diagnostics& diagnostics, Mark mark, std::string message, std::string help = {}) {
  diagnostics.push_back({Severity::warning, mark, std::move(message), std::move(help)});
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

void check_name(const std::string& name, Mark mark, Diagnostics& diagnostics) {
  if (mark.line > 0 && (name.empty() || name.size() > kLongestName ||
                        !std::ranges::all_of(name, is_name_character))) {
    error(diagnostics, mark, "'" + name + "' is not a name",
          "1 to 63 letters, digits, '.', '_' and '-'", std::max<std::size_t>(name.size(), 1));
  }
}

// Names of one kind: well-formed, and each only once.
template <class Named>
void check_names(const std::vector<Named>& all, std::string_view kind, Diagnostics& diagnostics) {
  std::map<std::string, Mark> seen;
  for (const auto& one : all) {
    check_name(one.name, one.name_mark, diagnostics);
    const auto [place, is_new] = seen.emplace(one.name, one.name_mark);
    if (!is_new && !one.name.empty()) {
      error(diagnostics, one.name_mark,
            std::string(kind) + " '" + one.name + "' exists already, in line " +
                std::to_string(place->second.line),
            "give it another name", one.name.size());
    }
  }
}

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
  std::set<std::string_view> used;
  bool all_known = true;
  for (const auto& listener : config.listeners) {
    used.insert(listener.pool);
    if (listener.pool_mark.line > 0 && std::ranges::find(names, listener.pool) == names.end()) {
      all_known = false;
      error(diagnostics, listener.pool_mark, "there is no pool '" + listener.pool + "'",
            names.empty() ? "" : suggest(listener.pool, names), listener.pool.size());
    }
  }
  // Not beside an unknown name, which may well be meant for the pool that looks unused.
  for (const auto& pool : config.pools) {
    if (all_known && !pool.name.empty() && !used.contains(pool.name)) {
      warning(diagnostics, pool.name_mark, "no listener uses pool '" + pool.name + "'");
    }
  }
}

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

void check_pool(const PoolConfig& pool, Diagnostics& diagnostics) {
  check_backends(pool, diagnostics);
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

}  // namespace

void validate(const Config& config, Diagnostics& diagnostics) {
  check_names(config.listeners, "listener", diagnostics);
  check_names(config.pools, "pool", diagnostics);
  check_binds(config, diagnostics);
  check_pools_exist(config, diagnostics);
  if (config.listeners.empty() && config.listeners_mark.line > 0) {
    warning(diagnostics, config.listeners_mark, "there are no listeners: nothing is balanced");
  }
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
