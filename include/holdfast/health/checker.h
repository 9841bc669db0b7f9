#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>

#include "holdfast/base/log.h"
#include "holdfast/loop/loop.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::health {

// Runs the active checks of all pools and publishes what they find in the shared state: relay
// threads see it at their next pick. Lives on the control thread.
class Checker {
 public:
  // `seed` of the jitter. Checks nothing yet.
  Checker(loop::Loop& loop, state::SharedState& shared, Log& log, unsigned seed);
  ~Checker();
  Checker(const Checker&) = delete;

  // At most so many checks are under way at a time, at least 1; the others wait their turn.
  void set_limit(std::size_t limit);

  // Called whenever the health of a backend has changed.
  void on_transition(std::function<void()> callback);

  // Checks the backends of these pools from now on, and no others; none that is in maintenance. One
  // that was checked before, at the same address, keeps its turn: however often the pools change,
  // its checks go on.
  void watch(std::span<const std::shared_ptr<pool::Pool>> pools);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::health
