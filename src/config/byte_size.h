#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/base/result.h"

namespace holdfast {

// "512B", "16KiB", "1MiB": a whole number and a unit, which is required. Pure.
[[nodiscard]] Result<std::uint64_t> parse_byte_size(std::string_view text);

// With the largest of those units that leaves a whole number.
[[nodiscard]] std::string format_byte_size(std::uint64_t bytes);

}  // namespace holdfast
