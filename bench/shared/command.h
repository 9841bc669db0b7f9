#pragma once

#include <string>
#include <vector>

#include "holdfast/base/result.h"

namespace holdfast::bench {

// A command that is to end well, and to its end; what it says on standard error goes to ours. Main
// thread (cli::ChildProcess).
[[nodiscard]] Result<void> run_command(std::vector<std::string> arguments);

// The same for lines of sh(1).
[[nodiscard]] Result<void> run_script(const std::string& lines);

}  // namespace holdfast::bench
