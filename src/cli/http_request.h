#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::cli {

// As much of an HTTP/1.x request (RFC 9112) as a service without request bodies needs. A value;
// parsing is a pure function of the bytes received so far.
struct HttpRequest {
  enum class Method : std::uint8_t { get, head, other };

  Method method = Method::other;
  std::string target;       // as sent: "/bytes/100"
  bool keep_alive = false;  // the version's default, or what Connection says (RFC 9112, 9.3)
  bool has_body = false;    // a body is announced; where it ends isn't looked at
  std::size_t size = 0;     // bytes of the input that the request takes up
};

struct ParsedRequest {
  enum class State : std::uint8_t { incomplete, complete, malformed, too_large };

  State state = State::incomplete;
  HttpRequest request;  // meaningful when complete
};

inline constexpr std::size_t kMaxRequestHeader = 8192;

// `input` begins where a request does. What can't become a request any more is malformed at once,
// without waiting for the end of the header: a TLS hello isn't kept waiting for a blank line.
[[nodiscard]] ParsedRequest parse_request(std::string_view input);

}  // namespace holdfast::cli
