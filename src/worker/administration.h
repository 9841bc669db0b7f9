#pragma once

#include "holdfast/health/checker.h"
#include "holdfast/worker/backend_change.h"
#include "worker/closings.h"
#include "worker/data_plane.h"

namespace holdfast::worker {

// Does to a backend what an operator asks for while everything runs: ready, drain, maint and a
// weight. It is all written into the backend's entry of the shared state, where relay threads see
// it at their next pick and a successor finds it. Control thread.
class Administration {
 public:
  Administration(DataPlane& plane, health::Checker& checker, Closings& closings,
                 state::SharedState& shared, Log& log);

  // Anything but add and remove, which change the configuration (Reload).
  [[nodiscard]] ChangeResult change(const BackendChange& change);

 private:
  void set_state(state::BackendEntry& entry, bool is_resolved, state::AdminState to,
                 const BackendChange& change);
  void set_weight(state::BackendEntry& entry, unsigned weight);
  void sign(state::BackendEntry& entry, const std::string& by);

  DataPlane& plane_;
  health::Checker& checker_;
  Closings& closings_;
  state::SharedState& shared_;
  Log& log_;
};

}  // namespace holdfast::worker
