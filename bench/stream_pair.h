#pragma once

#include <cstddef>
#include <string_view>

#include "holdfast/base/fd.h"

namespace holdfast::bench {

// Two connected, non-blocking stream sockets.
struct StreamPair {
  enum class Kind { unix_stream, tcp };

  // Over loopback for TCP. Aborts when the host has no sockets left: there is nothing to measure.
  explicit StreamPair(Kind kind);

  Fd near;
  Fd far;
};

// As much as goes without waiting; how much that was.
[[nodiscard]] std::size_t send_some(const Fd& socket, std::string_view bytes);
[[nodiscard]] std::size_t receive_some(const Fd& socket, std::size_t at_most);

}  // namespace holdfast::bench
