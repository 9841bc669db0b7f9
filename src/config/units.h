#pragma once

#include <string_view>

#include "holdfast/base/result.h"
#include "holdfast/config/config.h"

namespace holdfast {

// "250ms", "2s", "5m", "1h": a whole number and a unit, which is required.
[[nodiscard]] Result<Milliseconds> parse_duration(std::string_view text);

// The shortest of those forms.
[[nodiscard]] std::string format_duration(Milliseconds duration);

}  // namespace holdfast
