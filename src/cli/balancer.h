#pragma once

#include <set>
#include <string>

#include "holdfast/config/config.h"
#include "holdfast/guardian/guardian.h"
#include "holdfast/state/region.h"

namespace holdfast::cli {

// The balancer as a worker process runs it: relay, checks, admin interface. Built anew in every
// worker, from the configuration text that the region names.
class Balancer final : public guardian::WorkerProgram {
 public:
  // `file` is what the configuration came from, for messages. `region` outlives it.
  Balancer(std::string file, state::Region& region) : file_(std::move(file)), region_(region) {}

  // A descriptor that a successor must leave alone.
  void keep(int fd) { kept_.insert(fd); }

  // Until it is asked to end; the exit code.
  int run() override;

 private:
  std::string file_;
  state::Region& region_;
  std::set<int> kept_{0, 1, 2};
};

}  // namespace holdfast::cli
