#pragma once

#include <cstdint>
#include <string_view>

namespace holdfast::health {

// How an HTTP/1 answer begins (RFC 9112, 4): "HTTP/1.1 200", then a space or a line end.
struct HttpStatus {
  enum class State : std::uint8_t { incomplete, malformed, complete };

  State state;
  unsigned status = 0;  // 100 to 599, when complete

  bool operator==(const HttpStatus&) const = default;
};

// As early as can be told from what has been received so far. Pure.
[[nodiscard]] HttpStatus parse_http_status(std::string_view received);

}  // namespace holdfast::health
