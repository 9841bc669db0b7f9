#include "holdfast/pool/candidacy.h"

#include <algorithm>

namespace holdfast::pool {

double share_of_weight(const state::BackendEntry& entry, Duration slow_start, TimePoint now) {
  const auto came_back = static_cast<std::int64_t>(entry.came_back_at.get());
  if (slow_start.count() == 0 || came_back == 0) {
    return 1;
  }
  const auto since = static_cast<double>(to_nanoseconds(now) - came_back);
  return std::clamp(since / static_cast<double>(slow_start.count()), 0.0, 1.0);
}

std::uint32_t effective_weight(const state::BackendEntry& entry, Duration slow_start,
                               TimePoint now) {
  const std::uint32_t weight = whole_weight(entry);
  if (slow_start.count() == 0 || weight == 0) {
    return weight;
  }
  const double share = share_of_weight(entry, slow_start, now);
  return std::max(static_cast<std::uint32_t>(share * weight), std::uint32_t{1});
}

}  // namespace holdfast::pool
