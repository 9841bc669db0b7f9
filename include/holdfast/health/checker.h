#pragma once

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
  // `seed` of the jitter. The pools outlive the checker.
  Checker(loop::Loop& loop, std::span<const std::shared_ptr<pool::Pool>> pools,
          state::SharedState& shared, Log& log, unsigned seed);
  ~Checker();
  Checker(const Checker&) = delete;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::health
