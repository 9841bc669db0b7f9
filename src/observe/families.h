#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <vector>

#include "holdfast/observe/snapshot.h"

namespace holdfast::observe {

// Builds prometheus-cpp's plain families.
using Labels = std::vector<prometheus::ClientMetric::Label>;

class Family {
 public:
  Family(std::string name, std::string help, prometheus::MetricType type) {
    family_.name = "holdfast_" + std::move(name);
    family_.help = std::move(help);
    family_.type = type;
  }

  // A double holds whole numbers up to 2^53 exactly: nine petabytes of a byte counter.
  void add(Labels labels, double value);
  void add(Labels labels, const HistogramSnapshot& histogram);

  [[nodiscard]] prometheus::MetricFamily take() { return std::move(family_); }

 private:
  prometheus::MetricFamily family_;
};

}  // namespace holdfast::observe
