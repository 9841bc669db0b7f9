#include "config/byte_size.h"

#include <array>
#include <charconv>
#include <limits>

namespace holdfast {
namespace {

struct Unit {
  std::string_view name;
  std::uint64_t bytes;
};

constexpr std::array<Unit, 3> kUnits = {{{"MiB", 1U << 20U}, {"KiB", 1U << 10U}, {"B", 1}}};

}  // namespace

Result<std::uint64_t> parse_byte_size(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  if (error == std::errc::invalid_argument) {
    return fail("'" + std::string(text) + "' is not a size; write one as in 512B, 16KiB, 1MiB");
  }
  for (const auto& known : kUnits) {
    if (unit != known.name) {
      continue;
    }
    if (error != std::errc() || number > std::numeric_limits<std::uint64_t>::max() / known.bytes) {
      return fail("'" + std::string(text) + "' is out of range");
    }
    return number * known.bytes;
  }
  return fail("'" + std::string(text) + "' needs a unit: B, KiB or MiB");
}

std::string format_byte_size(std::uint64_t bytes) {
  for (const auto& unit : kUnits) {
    if (bytes >= unit.bytes && bytes % unit.bytes == 0) {
      return std::to_string(bytes / unit.bytes) + std::string(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

}  // namespace holdfast
