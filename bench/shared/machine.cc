#include "shared/machine.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>
#include <fstream>

namespace holdfast::bench {
namespace {

std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("model name")) {
      return line.substr(line.find(':') + 2);
    }
  }
  return "unknown CPU";
}

}  // namespace

Machine describe_machine() {
  Machine machine;
  machine.cpu = cpu_model();
  machine.cores = ::sysconf(_SC_NPROCESSORS_ONLN);
  utsname names{};
  ::uname(&names);
  machine.kernel = std::string(names.sysname) + " " + names.release;
  const auto now = std::time(nullptr);
  tm day{};
  ::gmtime_r(&now, &day);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", &day);
  machine.date = date;
  return machine;
}

}  // namespace holdfast::bench
