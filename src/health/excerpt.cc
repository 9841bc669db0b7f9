#include "health/excerpt.h"

#include <algorithm>

namespace holdfast::health {
namespace {

constexpr std::size_t kLongest = 60;

}  // namespace

std::string excerpt(std::string_view bytes) {
  std::string text(bytes.substr(0, kLongest));
  std::ranges::replace_if(
      text, [](char c) { return c < 0x20 || c > 0x7e; }, '.');
  return bytes.size() > kLongest ? text + "..." : text;
}

}  // namespace holdfast::health
