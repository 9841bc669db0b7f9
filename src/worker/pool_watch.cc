#include "worker/pool_watch.h"

#include <algorithm>

#include "worker/closings.h"

namespace holdfast::worker {
namespace {

constexpr Duration kTierSpread = std::chrono::seconds(5);

}  // namespace

void PoolWatch::look_after(std::span<const std::shared_ptr<pool::Pool>> pools) {
  for (const auto& pool : pools) {
    pool->update();
    pool->serve_waiting();
    tell_of_reach(*pool);
  }
}

// Connections of tiers that are out of use again go where new ones do, if their pool wants that.
// Noted before the tier is, so that a successor does it if this worker doesn't get to it.
void PoolWatch::follow_tiers(const pool::Pool& pool, unsigned tier) {
  constexpr auto kCause = state::CloseCause::lower_tier_up;
  for (const auto& backend : pool.backends()) {
    auto& entry = pool.entry(backend);
    const bool is_due = Closings::is_due_for(entry, kCause);
    if (backend.tier <= tier) {
      if (is_due) {
        Closings::cancel(entry);
      }
    } else if (pool.config().on_up_from_lower_tier == Established::close && !is_due &&
               !entry.admin.closing.is_set() && entry.active.get() > 0) {
      Closings::begin(entry, kCause, Clock::now(), kTierSpread);
    }
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
    follow_tiers(pool, tier);
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
