#include <cstdio>

#include "cli/commands.h"
#include "cli/configuration.h"

namespace holdfast::cli {

int check(const CheckOptions& options) {
  const auto config = load_configuration(options.config_file);
  if (!config) {
    return kFailed;
  }
  std::size_t backends = 0;
  for (const auto& pool : config->pools) {
    backends += pool.backends.size();
  }
  std::printf("%s is valid: %zu listeners, %zu pools, %zu backends\n", options.config_file.c_str(),
              config->listeners.size(), config->pools.size(), backends);
  return kFine;
}

}  // namespace holdfast::cli
