#pragma once

#include <optional>
#include <string>

#include "holdfast/config/config.h"

namespace holdfast::cli {

// The configuration in a file; what there is to say about it goes to standard error. Nothing when
// it can't be used.
[[nodiscard]] std::optional<Config> load_configuration(const std::string& file);

}  // namespace holdfast::cli
