#pragma once

#include "continuity/row.h"
#include "crowd/crowd.h"
#include "shared/contender.h"

namespace holdfast::bench {

// What does not change from run to run.
struct Setting {
  std::vector<Service> services;  // of `crowd serve`: the small exchanges first, then the transfers
  std::string next_build;         // the binary that an upgrade of holdfast installs
  CrowdOptions crowd;
};

// When, counted from where all is established; the event is then. Leftover processes are those more
// than before the event.
inline constexpr Duration kSettled = std::chrono::seconds(3);
inline constexpr Duration kLeftoversAfter = std::chrono::seconds(10);

struct Run {
  CrowdResult crowd;
  double leftover_processes = 0;
};

// One event under the whole load, with a balancer of its own. SIGINT and SIGTERM are blocked, and
// end it with an error.
[[nodiscard]] Result<Run> run_once(const Row& row, const Contender& contender,
                                   const Setting& setting);

}  // namespace holdfast::bench
