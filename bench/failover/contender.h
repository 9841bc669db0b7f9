#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/child_process.h"

namespace holdfast::bench {

struct Backend {
  std::string name;
  std::string address;
};

// A balancer to be compared: how it is configured and run for three backends. Each configuration
// is what the balancer's own documentation advises for quick failover, with the same check
// interval, thresholds, connect timeout and attempts wherever it knows them.
struct Contender {
  std::string name;     // as in tables and charts
  std::string program;  // path of the binary
  std::string version;

  // The text of its configuration. `directory` is for files it wants to write.
  std::string (*configuration)(const std::string& listen, const std::vector<Backend>& backends,
                               const std::filesystem::path& directory);
  // Runs in the foreground.
  cli::ChildProcess::Command (*command)(const std::string& program,
                                        const std::filesystem::path& configuration);
};

// Those that are installed. For each of the others a line on standard error says so.
[[nodiscard]] std::vector<Contender> find_contenders(const std::string& holdfast_program);

}  // namespace holdfast::bench
