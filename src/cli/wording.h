#pragma once

#include <cstdint>
#include <string>

#include "holdfast/base/clock.h"

namespace holdfast::cli {

// Numbers as people read them.

// "12,345"
[[nodiscard]] std::string with_separators(std::uint64_t number);
// "0.4 ms", "12 ms", "1,250 ms": a digit after the point below ten.
[[nodiscard]] std::string in_milliseconds(Duration duration);
// "1 request", "2 requests"
[[nodiscard]] std::string count_of(std::uint64_t number, const std::string& noun);

}  // namespace holdfast::cli
