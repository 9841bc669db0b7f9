#include "health/http_status.h"

#include <algorithm>

namespace holdfast::health {
namespace {

// A letter for each character that must come: 'd' a digit, 'e' what ends the status, else itself.
constexpr std::string_view kForm = "HTTP/1.d ddde";
constexpr std::size_t kStatusAt = 9;

bool fits(char form, char given) {
  switch (form) {
    case 'd':
      return given >= '0' && given <= '9';
    case 'e':
      return given == ' ' || given == '\r' || given == '\n';
    default:  // a character of the protocol, not an enum
      return given == form;
  }
}

}  // namespace

HttpStatus parse_http_status(std::string_view received) {
  const auto known = std::min(received.size(), kForm.size());
  for (std::size_t i = 0; i < known; ++i) {
    if (!fits(kForm[i], received[i])) {
      return {HttpStatus::State::malformed};
    }
  }
  if (known < kForm.size()) {
    return {HttpStatus::State::incomplete};
  }
  unsigned status = 0;
  for (const char digit : received.substr(kStatusAt, 3)) {
    status = status * 10 + static_cast<unsigned>(digit - '0');
  }
  if (status < 100 || status > 599) {
    return {HttpStatus::State::malformed};
  }
  return {HttpStatus::State::complete, status};
}

}  // namespace holdfast::health
