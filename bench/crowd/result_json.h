#pragma once

#include <nlohmann/json.hpp>

#include "crowd/crowd.h"

namespace holdfast::bench {

// For those who read it from another program. Not const: percentiles sort.
[[nodiscard]] nlohmann::ordered_json to_json(CrowdResult& result, TimePoint begin);

}  // namespace holdfast::bench
