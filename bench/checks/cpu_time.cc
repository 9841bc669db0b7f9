#include "checks/cpu_time.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace holdfast::bench {
namespace {

constexpr int kFieldsBeforeTimes = 11;  // from the state to cmajflt

long ticks_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');  // the name may hold anything
  if (name_end == std::string::npos) {
    return 0;
  }
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int i = 0; i < kFieldsBeforeTimes; ++i) {
    fields >> skipped;
  }
  long user = 0;
  long kernel = 0;
  fields >> user >> kernel;
  return user + kernel;
}

}  // namespace

Duration cpu_time_of(const ProcessGroup& processes) {
  long ticks = 0;
  for (const auto pid : processes.members()) {
    ticks += ticks_of(pid);
  }
  return std::chrono::duration_cast<Duration>(std::chrono::seconds(ticks)) / ::sysconf(_SC_CLK_TCK);
}

}  // namespace holdfast::bench
