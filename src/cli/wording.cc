#include "cli/wording.h"

#include <cmath>
#include <cstdio>

#include "cli/latency.h"

namespace holdfast::cli {

std::string with_separators(std::uint64_t number) {
  auto text = std::to_string(number);
  for (auto place = static_cast<int>(text.size()) - 3; place > 0; place -= 3) {
    text.insert(static_cast<std::size_t>(place), 1, ',');
  }
  return text;
}

std::string in_milliseconds(Duration duration) {
  const double milliseconds = to_milliseconds(duration);
  if (milliseconds >= 10) {
    return with_separators(static_cast<std::uint64_t>(std::llround(milliseconds))) + " ms";
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f ms", milliseconds);
  return text;
}

std::string count_of(std::uint64_t number, const std::string& noun) {
  return with_separators(number) + " " + noun + (number == 1 ? "" : "s");
}

}  // namespace holdfast::cli
