#include "config/socket_rules.h"

#include <algorithm>

#include "config/units.h"

namespace holdfast {
namespace {

bool is_unix(const Endpoint& endpoint) {
  return endpoint.kind == Endpoint::Kind::unix_path;
}

// Whether a socket with this source can connect there. Of a name nobody knows yet.
bool fits(const SocketAddress& source, const Endpoint& endpoint) {
  if (is_unix(endpoint)) {
    return false;
  }
  const auto address = SocketAddress::from(endpoint);
  return !address || address->family() == source.family();
}

void check_stream(const StreamOptions& options, const SocketMarks& marks,
                  Diagnostics& diagnostics) {
  if (marks.count.line > 0 && options.user_timeout.count() > 0) {
    warning(diagnostics, marks.count,
            "keepalive.count has no effect beside user_timeout (" +
                format_duration(options.user_timeout) + ")",
            "a peer that answers no probe is given up after that time; write user_timeout: off to "
            "have the probes counted");
  }
}

void check_source(const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& source = pool.connect.socket.source;
  const auto mark = pool.connect.socket_marks.bind_source;
  if (source.size() == 0 || pool.backends.empty()) {
    return;
  }
  const auto host = source.endpoint().host;
  if (std::ranges::none_of(pool.backends,
                           [&](const auto& one) { return fits(source, one.address); })) {
    error(diagnostics, mark,
          "no backend of pool '" + pool.name + "' can be connected to from " + host,
          "write an address of the backends' kind, or remove bind_source", host.size());
    return;
  }
  for (const auto& backend : pool.backends) {
    if (backend.address_mark.line > 0 && backend.address != Endpoint{} &&
        !fits(source, backend.address)) {
      warning(diagnostics, backend.address_mark,
              "bind_source " + host + " doesn't fit backend '" + backend.name + "'",
              "it is connected to from whatever address the kernel chooses");
    }
  }
}

}  // namespace

void check_sockets(const ListenerConfig& listener, Diagnostics& diagnostics) {
  const auto& marks = listener.socket_marks;
  check_stream(listener.socket.stream, marks, diagnostics);
  const bool only_unix =
      !listener.bind.empty() &&
      std::ranges::all_of(listener.bind, [](const auto& bind) { return is_unix(bind.endpoint); });
  for (const auto& [key, mark] :
       {std::pair{"user_timeout", marks.user_timeout}, std::pair{"keepalive", marks.keepalive},
        std::pair{"fastopen", marks.fastopen}}) {
    if (only_unix && mark.line > 0) {
      warning(diagnostics, mark,
              std::string(key) + " has no effect: listener '" + listener.name +
                  "' has only Unix sockets");
    }
  }
}

void check_sockets(const PoolConfig& pool, Diagnostics& diagnostics) {
  const auto& connect = pool.connect;
  const auto& marks = connect.socket_marks;
  check_stream(connect.socket.stream, marks, diagnostics);
  check_source(pool, diagnostics);
  if (connect.socket.fastopen && connect.attempts != 1) {
    error(
        diagnostics, marks.fastopen,
        "connect.fastopen needs connect.attempts to be 1, not " + std::to_string(connect.attempts),
        "the client's first bytes leave with the connect, so that no other backend can be tried "
        "after it: write attempts: 1, or fastopen: off",
        2);
  }
  const auto given_up = connect.socket.stream.user_timeout;
  if (given_up.count() > 0 && connect.timeout > given_up) {
    const auto mark = marks.user_timeout.line > 0 ? marks.user_timeout : connect.timeout_mark;
    warning(diagnostics, mark.line > 0 ? mark : pool.name_mark,
            "connect.timeout (" + format_duration(connect.timeout) +
                ") is longer than connect.user_timeout (" + format_duration(given_up) + ")",
            "a connect is given up after the shorter of them");
  }
}

}  // namespace holdfast
