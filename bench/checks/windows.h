#pragma once

#include <cstddef>
#include <vector>

#include "holdfast/base/clock.h"

namespace holdfast::bench {

// How evenly things happen: how many in each of the windows that a stretch of time is cut into.
struct Windows {
  double mean = 0;
  std::size_t most = 0;
};

// Of those times that lie in `count` windows of this length from `begin` on. Pure.
[[nodiscard]] Windows count_in_windows(const std::vector<TimePoint>& times, TimePoint begin,
                                       Duration length, std::size_t count);

}  // namespace holdfast::bench
