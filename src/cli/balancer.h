#pragma once

#include <set>
#include <string>

#include "holdfast/admin/interface.h"
#include "holdfast/base/log.h"
#include "holdfast/config/config.h"
#include "holdfast/guardian/guardian.h"
#include "holdfast/state/region.h"
#include "holdfast/takeover/image.h"

namespace holdfast::cli {

// The balancer as a worker process runs it: relay, checks, admin interface. Built anew in every
// worker, from the configuration text that the region names.
class Balancer final : public guardian::WorkerProgram {
 public:
  // `file` is what the configuration is read from at a reload; `program` is the file of this
  // program, which an upgrade goes on as. `region` outlives it.
  Balancer(std::string file, std::string program, state::Region& region);

  // A descriptor that a successor must leave alone.
  void keep(int fd) { kept_.insert(fd); }

  // What an upgrade executes.
  [[nodiscard]] const takeover::Image& upgraded() const { return upgraded_; }

  // Until it is asked to end; the exit code.
  int run(pid_t guardian) override;

 private:
  [[nodiscard]] std::set<int> kept() const;
  [[nodiscard]] admin::Operations operations(worker::Worker& worker, Log& log) const;
  [[nodiscard]] Result<void> begin_upgrade(Log& log) const;
  [[nodiscard]] bool may_serve(Log& log);
  [[nodiscard]] Fd watch_guardian(Log& log);
  void on_guardian_gone(Log& log);

  std::string file_;
  std::string program_;
  state::Region& region_;
  takeover::Image successor_;  // of the guardian: the program that runs, whatever its file is now
  takeover::Image upgraded_;
  std::set<int> kept_{0, 1, 2};
  pid_t guardian_ = 0;  // whose worker this is; 0: nobody's
  bool guardian_is_missing_ = false;
};

}  // namespace holdfast::cli
