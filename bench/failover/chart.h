#pragma once

#include <string>
#include <vector>

#include "failover/summary.h"

namespace holdfast::bench {

struct ChartLine {
  std::string name;
  Series series;
};

// An SVG picture of what the client saw: answered requests a second above, p99 latency below, a
// line for each balancer, the kill and the return marked. Text in, text out; draws nothing else.
[[nodiscard]] std::string draw_chart(const std::vector<ChartLine>& lines, const Schedule& schedule);

}  // namespace holdfast::bench
