#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace holdfast::cli {

// The syntax that requests and responses share (RFC 9110, 5; RFC 9112, 2.2 and 5). Pure functions.

// Bytes up to and including the blank line that ends a header section; nothing when it isn't there
// yet. A line may end in a bare LF (RFC 9112, 2.2).
[[nodiscard]] std::optional<std::size_t> header_size(std::string_view input);

// Takes one line off the front of `text`, without its line end.
[[nodiscard]] std::string_view take_line(std::string_view& text);

struct HttpField {
  std::string_view name;
  std::string_view value;  // without the white space around it
};

// Nothing when the line is no field: no colon, a name that is no token, a folded line.
[[nodiscard]] std::optional<HttpField> parse_field(std::string_view line);

[[nodiscard]] bool is_token(std::string_view text);
[[nodiscard]] bool equals_ignoring_case(std::string_view one, std::string_view other);
// Whether a comma-separated list names the option, as Connection does (RFC 9110, 7.6.1).
[[nodiscard]] bool lists_option(std::string_view list, std::string_view option);
// Digits only, and no more than fit.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text);

}  // namespace holdfast::cli
