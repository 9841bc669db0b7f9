#include "worker/descriptor_budget.h"

#include <sys/resource.h>

#include <algorithm>

namespace holdfast::worker {
namespace {

constexpr std::size_t kBase = 128;       // standard streams, shared memory, the admin listener's
constexpr std::size_t kEachThread = 16;  // a loop's own
constexpr std::size_t kMostConnections = 1'000'000;  // that "auto" gives: systems without a limit

}  // namespace

Result<DescriptorBudget> plan_descriptors(const DescriptorNeeds& needs) {
  const std::size_t reserved =
      kBase + needs.threads * kEachThread + needs.listening_sockets + needs.backends;
  const std::size_t wanted = needs.max_connections.value_or(1);
  if (reserved + 2 * wanted > needs.limit) {
    return fail("max_connections " + std::to_string(wanted) + " needs " +
                std::to_string(reserved + 2 * wanted) + " descriptors and the limit is " +
                std::to_string(needs.limit) +
                ": raise it (LimitNOFILE= in the unit, ulimit -n in a shell) or lower "
                "max_connections");
  }
  const std::size_t free = needs.limit - reserved;
  const std::size_t automatic = std::clamp<std::size_t>(free * 2 / 5, 1, kMostConnections);
  const std::size_t connections = needs.max_connections.value_or(automatic);
  return DescriptorBudget{static_cast<unsigned>(connections),
                          std::min((free - 2 * connections) / 2, 2 * connections)};
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised{limit.rlim_max, limit.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) {
      limit = raised;
    }
  }
  return limit.rlim_cur;
}

}  // namespace holdfast::worker
