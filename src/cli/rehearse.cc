#include <unistd.h>

#include <cstdio>

#include "cli/commands.h"
#include "holdfast/config/load.h"
#include "holdfast/state/region.h"

namespace holdfast::cli {

int rehearse(const RehearseOptions& options) {
  const auto region = state::Region::adopt(Fd(options.region));
  if (!region) {
    std::fprintf(stderr, "%s\n", region.error().message.c_str());
    return kFailed;
  }
  const auto text = read_config_file("/proc/self/fd/" + std::to_string(options.config));
  if (!text) {
    std::fprintf(stderr, "%s\n", text.error().message.c_str());
    return kFailed;
  }
  const auto loaded = load_config(*text);
  if (!loaded.config) {
    std::fputs(render(loaded.diagnostics, "the configuration in force", *text).c_str(), stderr);
    return kFailed;
  }
  return version();
}

}  // namespace holdfast::cli
