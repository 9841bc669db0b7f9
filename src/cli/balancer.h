#pragma once

#include <set>
#include <string>

#include "holdfast/base/log.h"
#include "holdfast/config/config.h"
#include "holdfast/guardian/guardian.h"
#include "holdfast/guardian/image.h"
#include "holdfast/state/region.h"

namespace holdfast::cli {

// The balancer as a worker process runs it: relay, checks, admin interface. Built anew in every
// worker, from the configuration text that the region names.
class Balancer final : public guardian::WorkerProgram {
 public:
  // `file` is what the configuration came from, for messages. `region` outlives it.
  Balancer(std::string file, state::Region& region);

  // A descriptor that a successor must leave alone.
  void keep(int fd) { kept_.insert(fd); }

  // Until it is asked to end; the exit code.
  int run() override;

 private:
  [[nodiscard]] Fd watch_guardian(Log& log);
  void on_guardian_gone(Log& log);

  std::string file_;
  state::Region& region_;
  guardian::Image successor_;  // of the guardian
  std::set<int> kept_{0, 1, 2};
};

}  // namespace holdfast::cli
