#pragma once

#include <cstddef>
#include <vector>

#include "holdfast/base/clock.h"

namespace holdfast::cli {

// Durations and their percentiles, exact: all are kept, since a run has some ten thousand. One
// thread's own.
class Latencies {
 public:
  void add(Duration latency);
  void add(const Latencies& others);

  [[nodiscard]] bool empty() const { return values_.empty(); }
  [[nodiscard]] std::size_t size() const { return values_.size(); }

  // The smallest value that `percent` of all (0 to 100) don't exceed: the nearest-rank
  // percentile. Zero when there is none.
  [[nodiscard]] Duration percentile(double percent);
  [[nodiscard]] Duration max() { return percentile(100); }

 private:
  std::vector<Duration> values_;
  bool sorted_ = true;
};

[[nodiscard]] inline double to_milliseconds(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

}  // namespace holdfast::cli
