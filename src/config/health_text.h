#pragma once

#include <string>
#include <utility>
#include <vector>

#include "holdfast/config/config.h"

namespace holdfast {

// Every key of `health` with its value as text, always in the same order and number. Pure.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> text_of_health(
    const HealthConfig& health);

}  // namespace holdfast
