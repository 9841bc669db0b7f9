#pragma once

#include <string_view>

#include "holdfast/base/result.h"
#include "holdfast/config/config.h"

namespace holdfast {

// "250ms", "2s", "5m", "1h": a whole number and a unit, which is required.
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);

// The shortest of those forms.
[[nodiscard]] std::string format_duration(Milliseconds duration);

// "512", "16KiB", "1MiB": a whole number of bytes, KiB or MiB.
[[nodiscard]] Result<std::size_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::size_t bytes);

}  // namespace holdfast
