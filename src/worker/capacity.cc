#include "worker/capacity.h"

#include <sched.h>

#include <algorithm>

namespace holdfast::worker {
namespace {

// A large pipe has 256 pages, and the pipes of an unprivileged user shrink when he has 16,384
// (pipe(7)): these take half of them at most, however many threads there are.
constexpr unsigned kMostLargePipes = 32;
constexpr unsigned kLargePipesEach = 4;
// A roomy one has 64, and is lent for as long as a client waits for its answer's first byte: a
// quarter of them all.
constexpr unsigned kMostRoomyPipes = 64;
constexpr unsigned kRoomyPipesEach = 16;

unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return 1;
  }
  return static_cast<unsigned>(CPU_COUNT(&set));
}

}  // namespace

unsigned count_threads(const Config& config) {
  const auto most = static_cast<unsigned>(state::kMaxThreads);
  return std::clamp(config.threads.value_or(usable_cpus()), 1U, most);
}

Result<DescriptorBudget> plan_capacity(const Config& config, unsigned threads) {
  DescriptorNeeds needs{.limit = raise_descriptor_limit(),
                        .threads = threads,
                        .max_connections = config.max_connections};
  for (const auto& listener : config.listeners) {
    needs.listening_sockets += listener.bind.size() * threads;
  }
  for (const auto& pool : config.pools) {
    needs.backends += pool.backends.size();
  }
  return plan_descriptors(needs);
}

relay::RelayLimits limits_of(const Config& config, const DescriptorBudget& budget,
                             unsigned threads) {
  return {.max_connections = budget.max_connections,
          .max_pipes = budget.pipes / threads,
          .max_large_pipes = std::min(kLargePipesEach, kMostLargePipes / threads),
          .max_roomy_pipes = std::min(kRoomyPipesEach, std::max(2U, kMostRoomyPipes / threads)),
          .connection_log = config.log.connections};
}

}  // namespace holdfast::worker
