#pragma once

#include <memory>
#include <span>

#include "holdfast/base/log.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::worker {

// Looks after the pools twice a second: has tables follow weights that changed, serves who waits
// for what becomes free by time alone (an ejection that is over where nobody checks), and says when
// a pool comes to another tier or to panic. Control thread.
class PoolWatch {
 public:
  PoolWatch(state::SharedState& shared, Log& log) : shared_(shared), log_(log) {}

  void look_after(std::span<const std::shared_ptr<pool::Pool>> pools);

 private:
  void tell_of_reach(const pool::Pool& pool);
  static void follow_tiers(const pool::Pool& pool, unsigned tier);

  state::SharedState& shared_;
  Log& log_;
};

}  // namespace holdfast::worker
