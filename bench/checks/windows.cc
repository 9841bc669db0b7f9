#include "checks/windows.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace holdfast::bench {

Windows count_in_windows(const std::vector<TimePoint>& times, TimePoint begin, Duration length,
                         std::size_t count) {
  assert(count > 0);
  std::vector<std::size_t> counts(count);
  for (const auto time : times) {
    const auto place = static_cast<std::size_t>((time - begin) / length);
    if (time >= begin && place < count) {
      ++counts[place];
    }
  }
  const auto all = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  return {static_cast<double>(all) / static_cast<double>(count), *std::ranges::max_element(counts)};
}

}  // namespace holdfast::bench
