#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/base/result.h"
#include "holdfast/config/config.h"
#include "holdfast/config/diagnostic.h"

namespace holdfast {

// A configuration's text, read and judged.
struct LoadedConfig {
  std::optional<Config> config = std::nullopt;  // when there is no error
  Diagnostics diagnostics = {};                 // in the order of the file, warnings included
  AdminConfig admin = {};  // as far as it could be read, even when there are errors
};

// All that is wrong is found at once.
[[nodiscard]] LoadedConfig load_config(std::string_view text);

// The same for a text that isn't in force yet: the files that it names must be there too. Once it
// is in force, one that is gone is no reason to end what serves.
[[nodiscard]] LoadedConfig load_new_config(std::string_view text);

// The whole text of a file, which may be a pipe or /dev/stdin; 1 MiB at most.
[[nodiscard]] Result<std::string> read_config_file(const std::string& path);

}  // namespace holdfast
