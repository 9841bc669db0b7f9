#include <unistd.h>

#include <cstdio>

#include "cli/commands.h"
#include "holdfast/base/memory_file.h"
#include "holdfast/config/load.h"
#include "holdfast/config/run_time_changes.h"
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
  if (const auto fd = region->shared().changes_fd.get(); fd != 0) {
    const auto changes = read_memory_file(static_cast<int>(fd)).and_then(parse_run_time_changes);
    if (!changes) {
      std::fprintf(stderr, "%s\n", changes.error().message.c_str());
      return kFailed;
    }
  }
  return version();
}

}  // namespace holdfast::cli
