#pragma once

#include "holdfast/pool/connect_times.h"
#include "holdfast/pool/hedge_budget.h"

namespace holdfast::pool {

// What a pool knows of its connects: when one is late, and whether a second may race it. In process
// memory: a worker that takes over begins anew. All threads.
struct Racing {
  ConnectTimes times;
  HedgeBudget budget;
};

}  // namespace holdfast::pool
