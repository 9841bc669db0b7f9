#include "config/health_rules.h"

#include <algorithm>
#include <array>

#include "config/byte_size.h"
#include "config/units.h"
#include "config/words.h"
#include "holdfast/base/socket_address.h"

namespace holdfast {
namespace {

// The keys that not every type takes.
struct Fit {
  std::string_view key;
  std::array<CheckType, 4> types;  // filled up with `none`, which takes nothing
};

constexpr Fit kFits[] = {
    {"port", {CheckType::tcp, CheckType::http, CheckType::send_expect, CheckType::agent}},
    {"address", {CheckType::tcp, CheckType::http, CheckType::send_expect, CheckType::agent}},
    {"tls", {CheckType::tcp, CheckType::http, CheckType::send_expect}},
    {"send", {CheckType::send_expect, CheckType::agent}},
    {"expect", {CheckType::send_expect}},
    {"limit", {CheckType::send_expect}},
    {"method", {CheckType::http}},
    {"path", {CheckType::http}},
    {"host", {CheckType::http}},
    {"status", {CheckType::http}},
};

std::string takers(const Fit& fit) {
  std::vector<std::string> words;
  for (const auto type : fit.types) {
    if (type != CheckType::none) {
      words.emplace_back(word_for(type));
    }
  }
  std::string text = words.size() == 1 ? "type " : "types ";
  for (std::size_t i = 0; i < words.size(); ++i) {
    text += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  }
  return text + (words.size() == 1 ? " takes it" : " take it");
}

void check_fit(const HealthConfig& health, Diagnostics& diagnostics) {
  const auto type = std::string(word_for(health.type));
  for (const auto& key : health.given) {
    const auto fit = std::ranges::find(kFits, key.name, &Fit::key);
    if (fit == std::end(kFits)) {
      continue;
    }
    if (health.type == CheckType::none) {
      // Checks that are off for a while may keep what they will need again.
      warning(diagnostics, key.mark, "'" + key.name + "' does nothing with health.type none",
              takers(*fit) + ": write one of them, or remove it");
    } else if (std::ranges::find(fit->types, health.type) == fit->types.end()) {
      error(diagnostics, key.mark, "'" + key.name + "' doesn't fit health.type " + type,
            takers(*fit), key.name.size());
    }
  }
}

// Line 0 where it isn't given.
Mark mark_of_key(const HealthConfig& health, std::string_view key) {
  const auto place = std::ranges::find(health.given, key, &GivenKey::name);
  return place == health.given.end() ? Mark{} : place->mark;
}

bool is_given(const HealthConfig& health, std::string_view key) {
  return mark_of_key(health, key).line > 0;
}

void check_send_expect(const HealthConfig& health, Diagnostics& diagnostics) {
  if (!is_given(health, "expect")) {
    error(diagnostics, health.type_mark, "health.type send_expect needs 'expect'",
          "the bytes that a healthy backend answers; type tcp expects none",
          word_for(health.type).size());
  } else if (health.expect.size() > health.limit) {
    error(diagnostics, health.limit_mark.line > 0 ? health.limit_mark : health.expect_mark,
          "'expect' is longer than health.limit (" + format_byte_size(health.limit) + ")",
          "raise 'limit': only that much of the answer is looked at");
  }
}

// What goes into a request's lines as it is: no spaces, no line ends (RFC 9112, 3).
bool is_one_word(const std::string& text) {
  return !text.empty() && text.size() <= kLongestCheckText &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

void check_http(const HealthConfig& health, Diagnostics& diagnostics) {
  const auto is_method =
      is_one_word(health.method) && std::ranges::all_of(health.method, [](char c) {
        return (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
      });
  if (!is_method) {
    error(diagnostics, health.method_mark, "'" + health.method + "' is not a method",
          "as in GET, HEAD or OPTIONS", std::max<std::size_t>(health.method.size(), 1));
  }
  if (!is_one_word(health.path) || (health.path[0] != '/' && health.path != "*")) {
    error(diagnostics, health.path_mark, "'" + health.path + "' is not a path",
          "it begins with '/' and has no spaces; write %20 for one",
          std::max<std::size_t>(health.path.size(), 1));
  }
  if (is_given(health, "host") && !is_one_word(health.host)) {
    error(diagnostics, health.host_mark, "'" + health.host + "' is not a host",
          "as in www.example.org or 10.0.0.1:8080", std::max<std::size_t>(health.host.size(), 1));
  }
}

void check_address(const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& health = pool.health;
  if (health.address && health.address->kind == Endpoint::Kind::inet && health.address->port == 0) {
    error(diagnostics, health.address_mark, "a check can't go to port 0",
          "write the port that answers it", health.address->to_string().size());
  }
  if (health.port == 0) {
    return;
  }
  if (health.address) {
    error(diagnostics, health.port_mark, "health.address has a port already",
          "remove 'port', or write it into 'address'");
    return;
  }
  for (const auto& backend : pool.backends) {
    if (backend.address.kind == Endpoint::Kind::unix_path) {
      error(diagnostics, health.port_mark,
            "backend '" + backend.name + "' is a Unix socket, which has no ports",
            "write 'address' to check it elsewhere");
      return;
    }
  }
}

void check_tls(const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& tls = *pool.health.tls;
  if (tls.sni_mark.line > 0 &&
      (!is_one_word(tls.sni) || SocketAddress::from(Endpoint{.host = tls.sni, .path = {}}))) {
    error(diagnostics, tls.sni_mark, "'" + tls.sni + "' is not a host name",
          "as in www.example.org (RFC 6066, 3)", std::max<std::size_t>(tls.sni.size(), 1));
  }
  if (tls.ca_mark.line > 0 && !tls.ca.starts_with('/')) {
    error(diagnostics, tls.ca_mark, "'" + tls.ca + "' is not an absolute path",
          "as in /etc/ssl/certs/ca-certificates.crt", std::max<std::size_t>(tls.ca.size(), 1));
  }
  if (tls.ca_mark.line > 0 && !tls.verify) {
    warning(diagnostics, tls.ca_mark, "'ca' does nothing while 'verify' is off",
            "write verify: true, or remove it");
  }
  const bool has_unix_socket = std::ranges::any_of(pool.backends, [](const auto& backend) {
    return backend.address.kind == Endpoint::Kind::unix_path;
  });
  if (tls.verify && tls.sni.empty() && has_unix_socket) {
    error(diagnostics, tls.mark, "a Unix socket's certificate needs a name to be verified by",
          "write 'sni', or 'verify: false'");
  }
}

void check_times(const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& health = pool.health;
  // One mistake, one complaint: with what can't be read nothing is compared.
  if (is_given(health, "interval") && health.interval_mark.line == 0) {
    return;
  }
  const bool is_unread = is_given(health, "timeout") && health.timeout_mark.line == 0;
  if (!is_unread && health.timeout > health.interval) {
    warning(diagnostics,
            health.timeout_mark.line > 0 ? health.timeout_mark : mark_of_key(health, "interval"),
            "health.timeout (" + format_duration(health.timeout) +
                ") is longer than health.interval (" + format_duration(health.interval) + ")",
            "checks of a backend that is silent come as rarely as the timeout: write timeout: " +
                format_duration(health.interval) + " or less");
  }
  if (health.fast_interval > health.interval) {
    warning(diagnostics, health.fast_interval_mark,
            "health.fast_interval (" + format_duration(*health.fast_interval) +
                ") is longer than health.interval (" + format_duration(health.interval) + ")",
            "changes are then noticed later, not sooner: write less than " +
                format_duration(health.interval));
  }
}

// An agent is another program than the service, nearly always.
void check_agent(const HealthConfig& health, Diagnostics& diagnostics) {
  if (health.port == 0 && !health.address && !is_given(health, "port") &&
      !is_given(health, "address")) {
    warning(diagnostics, health.type_mark, "health.type agent asks the port of the service itself",
            "write the agent's 'port', or its 'address'");
  }
}

}  // namespace

void check_health(const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& health = pool.health;
  check_fit(health, diagnostics);
  if (health.type == CheckType::none) {
    return;
  }
  check_times(pool, diagnostics);
  check_address(pool, diagnostics);
  if (health.tls) {
    check_tls(pool, diagnostics);
  }
  if (health.type == CheckType::send_expect) {
    check_send_expect(health, diagnostics);
  } else if (health.type == CheckType::http) {
    check_http(health, diagnostics);
  } else if (health.type == CheckType::agent) {
    check_agent(health, diagnostics);
  }
}

}  // namespace holdfast
