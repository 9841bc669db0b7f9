#pragma once

#include <filesystem>
#include <string>

#include "checks/windows.h"
#include "holdfast/base/result.h"

namespace holdfast::bench {

// What is measured: so many backends under checks of this type.
struct Load {
  std::string type;  // as in `health.type`
  std::size_t backends = 1000;
  std::chrono::seconds interval{2};
  std::chrono::seconds length{20};
  Duration window = std::chrono::milliseconds(100);
};

struct Run {
  double cpu = 0;  // percent of a core, of all of holdfast's processes
  Windows checks;
};

// Blocks for the load's length and two intervals before it. Main thread; nothing is left of it.
[[nodiscard]] Result<Run> run_once(const std::string& holdfast, const Load& load,
                                   const std::filesystem::path& directory);

}  // namespace holdfast::bench
