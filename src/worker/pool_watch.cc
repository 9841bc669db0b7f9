#include "worker/pool_watch.h"

#include <algorithm>

namespace holdfast::worker {

void PoolWatch::look_after(std::span<const std::shared_ptr<pool::Pool>> pools) {
  for (const auto& pool : pools) {
    pool->update();
    pool->serve_waiting();
    tell_of_reach(*pool);
  }
}

void PoolWatch::tell_of_reach(const pool::Pool& pool) {
  unsigned highest = 0;
  for (const auto& backend : pool.backends()) {
    highest = std::max(highest, backend.tier);
  }
  auto& entry = shared_.pools[pool.index()];
  const auto reach = pool.reach();
  const unsigned tier = std::min(reach.tier, highest);
  const auto serving =
      std::to_string(pool.serving()) + "/" + std::to_string(pool.backends().size());
  if (const auto before = entry.tier.get(); before != tier) {
    entry.tier.set(tier);
    log_.write(tier > before ? LogLevel::warning : LogLevel::info,
               tier > before ? "pool spills over" : "pool comes back",
               {{"pool", pool.name()}, {"tier", tier}, {"up", serving}});
  }
  if (const bool before = entry.panics.get() != 0; before != reach.panics) {
    entry.panics.set(reach.panics ? 1 : 0);
    log_.write(reach.panics ? LogLevel::warning : LogLevel::info,
               reach.panics ? "pool panics" : "pool panics no more",
               {{"pool", pool.name()},
                {"panic_threshold", std::to_string(pool.config().panic_threshold) + "%"},
                {"up", serving}});
  }
}

}  // namespace holdfast::worker
