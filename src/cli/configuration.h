#pragma once

#include <optional>
#include <string>

#include "holdfast/config/config.h"

namespace holdfast::cli {

// The configuration in a text; what there is to say about it, as if it were in `file`, goes to
// standard error. Nothing when it can't be used.
[[nodiscard]] std::optional<Config> judge_configuration(const std::string& text,
                                                        const std::string& file);

// The same for the text of a file.
[[nodiscard]] std::optional<Config> load_configuration(const std::string& file);

}  // namespace holdfast::cli
