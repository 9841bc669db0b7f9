#pragma once

#include "holdfast/loop/timer.h"
#include "worker/data_plane.h"

namespace holdfast::worker {

// How long it takes to close what is left `close_after` a drain, when nobody says: a tenth of that,
// so that who waits longer is also gentler, at least a second, so that no two thousand clients come
// back in the same moment, and at most half a minute.
[[nodiscard]] Duration usual_spread(Duration close_after);

// Closes the connections of backends that are to have none any more: what a drain leaves when its
// time has come and what is left in tiers that are out of use again (PoolWatch), spread over time,
// and at once those of a backend that went down in a pool with on_down: close. Everything it goes
// by is in the shared state, so that a successor goes on where it stopped. Control thread.
class Closings {
 public:
  Closings(loop::Loop& loop, DataPlane& plane, state::SharedState& shared, Log& log);

  // From then on, over `spread`.
  static void begin(state::BackendEntry& entry, state::CloseCause cause, TimePoint from,
                    Duration spread);
  static void cancel(state::BackendEntry& entry);
  [[nodiscard]] static bool is_due_for(const state::BackendEntry& entry, state::CloseCause cause);

  // Looks what there is to do. To be called after whatever changes that; goes on by itself while
  // anything is left.
  void tend();

 private:
  [[nodiscard]] bool close_down_backends();
  [[nodiscard]] bool close_by_record(std::uint16_t index, state::BackendEntry& entry);
  void finish(state::BackendEntry& entry);

  DataPlane& plane_;
  state::SharedState& shared_;
  Log& log_;
  loop::Timer timer_;
  Duration next_{};  // look, when anything is left
};

}  // namespace holdfast::worker
