#include "cli/latency.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace holdfast::cli {

void Latencies::add(Duration latency) {
  values_.push_back(latency);
  sorted_ = false;
}

void Latencies::add(const Latencies& others) {
  values_.insert(values_.end(), others.values_.begin(), others.values_.end());
  sorted_ = false;
}

Duration Latencies::percentile(double percent) {
  assert(percent >= 0 && percent <= 100);
  if (values_.empty()) {
    return Duration::zero();
  }
  if (!sorted_) {
    std::sort(values_.begin(), values_.end());
    sorted_ = true;
  }
  // 99.9 has no exact double: without the nudge, 99.9 % of 1,000 would round up to rank 1,000.
  const auto rank = std::ceil(percent / 100 * static_cast<double>(values_.size()) - 1e-9);
  return values_[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace holdfast::cli
