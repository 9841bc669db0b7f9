#include "config/escapes.h"

#include <array>
#include <charconv>
#include <optional>

namespace holdfast {
namespace {

struct Escape {
  char letter;
  char byte;
};

constexpr std::array<Escape, 5> kEscapes = {
    {{'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'0', '\0'}, {'\\', '\\'}}};

std::optional<char> byte_of(char letter) {
  for (const auto& escape : kEscapes) {
    if (escape.letter == letter) {
      return escape.byte;
    }
  }
  return std::nullopt;
}

std::optional<char> hexadecimal(std::string_view digits) {
  unsigned char byte = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), byte, 16);
  if (digits.size() != 2 || error != std::errc() || end != digits.data() + digits.size()) {
    return std::nullopt;
  }
  return static_cast<char>(byte);
}

}  // namespace

Result<std::string> unescape(std::string_view text) {
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      bytes += text[at];
      continue;
    }
    const bool is_hexadecimal = text.substr(at + 1).starts_with('x');
    const std::size_t length = is_hexadecimal ? 4 : 2;
    const auto escape = text.substr(at, length);
    const auto byte = is_hexadecimal       ? hexadecimal(escape.substr(2))
                      : escape.size() == 2 ? byte_of(escape[1])
                                           : std::nullopt;
    if (!byte) {
      return fail("'" + std::string(escape) +
                  "' is no escape; write \\r, \\n, \\t, \\0, \\\\ or "
                  "\\x and two hexadecimal digits");
    }
    bytes += *byte;
    at += length - 1;
  }
  return bytes;
}

std::string escape(std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (const char byte : bytes) {
    const auto value = static_cast<unsigned char>(byte);
    bool has_letter = false;
    for (const auto& known : kEscapes) {
      if (known.byte == byte) {
        text += {'\\', known.letter};
        has_letter = true;
      }
    }
    if (has_letter) {
      continue;
    }
    if (value >= 0x20 && value < 0x7f) {
      text += byte;
    } else {
      text += {'\\', 'x', kDigits[value >> 4U], kDigits[value & 0xfU]};
    }
  }
  return text;
}

}  // namespace holdfast
