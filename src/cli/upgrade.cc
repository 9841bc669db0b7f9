#include <cerrno>
#include <cstdio>

#include "cli/commands.h"
#include "cli/upgrading.h"

namespace holdfast::cli {

int upgrade(const ControlOptions& options) {
  const auto version = upgrade_instance(ControlClient(options.socket));
  if (!version) {
    std::fprintf(stderr, "holdfast: %s\n", version.error().message.c_str());
    return version.error().code == ECONNREFUSED ? kNobody : kFailed;
  }
  std::printf("upgraded, holdfast %s serves\n", version->c_str());
  return kFine;
}

}  // namespace holdfast::cli
