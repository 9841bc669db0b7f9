#pragma once

#include <string>
#include <vector>

#include "holdfast/config/config.h"

namespace holdfast {

// What differs between two configurations, a line for each thing, as an operator would say it:
// "pool web: backend web-3 added (10.0.0.3:80)". Empty when they come to the same. Pure.
[[nodiscard]] std::vector<std::string> diff(const Config& before, const Config& after);

}  // namespace holdfast
