#include "config/units.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace holdfast {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};

constexpr std::array<Unit, 4> kUnits = {{{"h", 3'600'000}, {"m", 60'000}, {"s", 1000}, {"ms", 1}}};

}  // namespace

Result<Milliseconds> parse_duration(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc::invalid_argument) {
    return fail("'" + std::string(text) + "' is not a duration; write one as in 250ms, 2s, 5m, 1h");
  }
  if (unit.starts_with('.') || unit.starts_with(',')) {
    return fail("'" + std::string(text) +
                "' is not a whole number; write it in a smaller unit, as in 1500ms for 1.5 s");
  }
  for (const auto& known : kUnits) {
    if (unit != known.name) {
      continue;
    }
    if (error != std::errc() || number < 0 ||
        number > std::numeric_limits<std::int64_t>::max() / known.milliseconds) {
      return fail("'" + std::string(text) + "' is out of range");
    }
    return Milliseconds(number * known.milliseconds);
  }
  return fail(
      "'" + std::string(text) + "' needs a unit: " +
      (unit.empty() ? std::string(text) + "ms or " + std::string(text) + "s" : "ms, s, m or h"));
}

std::string format_duration(Milliseconds duration) {
  for (const auto& unit : kUnits) {
    if (duration.count() % unit.milliseconds == 0 && duration.count() != 0) {
      return std::to_string(duration.count() / unit.milliseconds) + std::string(unit.name);
    }
  }
  return "0s";
}

}  // namespace holdfast
