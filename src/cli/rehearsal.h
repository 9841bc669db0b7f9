#pragma once

#include <string>

#include "holdfast/base/result.h"
#include "holdfast/state/region.h"

namespace holdfast::cli {

// Has a program file look whether it could take over this instance, while the instance goes on
// serving: it is run as `PROGRAM rehearse`, reads the shared memory and the configuration and ends.
// Blocks for up to five seconds; any thread that lives as long. Its version, or why not.
[[nodiscard]] Result<std::string> rehearse_upgrade(const std::string& program,
                                                   const state::Region& region);

}  // namespace holdfast::cli
