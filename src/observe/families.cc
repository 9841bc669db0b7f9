#include "observe/families.h"

#include <limits>

namespace holdfast::observe {

void Family::add(Labels labels, double value) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  metric.counter.value = value;
  metric.gauge.value = value;  // the serializer reads the one that the family's type names
  family_.metric.push_back(std::move(metric));
}

void Family::add(Labels labels, const HistogramSnapshot& histogram) {
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
    cumulative += histogram.buckets[i];
    const bool last = i == state::kDurationBounds.size();
    metric.histogram.bucket.push_back(
        {cumulative, last ? std::numeric_limits<double>::infinity()
                          : static_cast<double>(state::kDurationBounds[i]) / 1e6});
  }
  metric.histogram.sample_count = cumulative;
  metric.histogram.sample_sum = static_cast<double>(histogram.sum_nanoseconds) * 1e-9;
  family_.metric.push_back(std::move(metric));
}

}  // namespace holdfast::observe
