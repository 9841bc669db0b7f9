#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/base/result.h"
#include "holdfast/config/health_config.h"

namespace holdfast {

// "200-399", "200,204,300-399": HTTP status codes from 100 to 599. Pure.
[[nodiscard]] Result<std::vector<StatusRange>> parse_status_ranges(std::string_view text);
[[nodiscard]] std::string format_status_ranges(std::span<const StatusRange> ranges);

}  // namespace holdfast
