#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace holdfast {

// What went wrong, in words for an operator, and the errno behind it (0 when there is none).
struct Error {
  std::string message;
  int code = 0;
};

// The outcome of an operation that can fail. Functions returning it are [[nodiscard]].
template <class T>
using Result = tl::expected<T, Error>;

// "what: strerror(code)". The one place where errno becomes text.
[[nodiscard]] Error system_error(std::string_view what, int code);

// The words alone, lower-case first letter as they stand inside a log line: "connection refused".
[[nodiscard]] std::string error_text(int code);

[[nodiscard]] inline tl::unexpected<Error> fail(std::string message) {
  return tl::unexpected<Error>(Error{std::move(message), 0});
}
[[nodiscard]] inline tl::unexpected<Error> fail(std::string_view what, int code) {
  return tl::unexpected<Error>(system_error(what, code));
}

}  // namespace holdfast
