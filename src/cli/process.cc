#include "cli/process.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace holdfast::cli {

pid_t parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  const std::string stat((std::istreambuf_iterator<char>(file)), {});
  // Field 4, the second after the name, which is in parentheses and may hold anything.
  constexpr std::size_t kStateAndSpaces = 4;
  const auto name_ends = stat.rfind(") ");
  if (name_ends == std::string::npos || name_ends + kStateAndSpaces > stat.size()) {
    return 0;
  }
  return static_cast<pid_t>(std::strtol(stat.c_str() + name_ends + kStateAndSpaces, nullptr, 10));
}

}  // namespace holdfast::cli
