#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/base/result.h"

namespace holdfast {

// A place to listen or to connect to, as an operator writes it: "host:port", "[::1]:port" or
// "unix:/path". The host may be a name; SocketAddress is what it resolves to.
struct Endpoint {
  enum class Kind : std::uint8_t { inet, unix_path };

  Kind kind = Kind::inet;
  std::string host;        // a name or a numeric address, without brackets; empty for unix
  std::uint16_t port = 0;  // 0 lets the kernel choose, for listeners only
  std::string path;        // unix only

  // The error names what is wrong and what to write instead.
  [[nodiscard]] static Result<Endpoint> parse(std::string_view text);
  [[nodiscard]] std::string to_string() const;

  bool operator==(const Endpoint&) const = default;
};

}  // namespace holdfast
