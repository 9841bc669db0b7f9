#pragma once

#include <string_view>

#include "holdfast/config/config.h"
#include "holdfast/config/diagnostic.h"

namespace holdfast {

// The text's values over the defaults. What can't be read is in `diagnostics`, and the rest of
// the configuration is as if it weren't there. Only this and reader.* know yaml-cpp.
[[nodiscard]] Config parse_yaml(std::string_view text, Diagnostics& diagnostics);

}  // namespace holdfast
