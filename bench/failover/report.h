#pragma once

#include <string>
#include <vector>

#include "failover/summary.h"

namespace holdfast::bench {

struct Row {
  std::string name;
  std::string version;
  std::vector<Summary> rounds;
};

// The medians as a table for a terminal.
[[nodiscard]] std::string to_table(const std::vector<Row>& rows);

// All there is to say, as Markdown: machine, versions, schedule, medians, and the errors of each
// round. `chart` is the picture's file name beside it.
[[nodiscard]] std::string to_markdown(const std::vector<Row>& rows, const Schedule& schedule,
                                      const std::string& chart);

}  // namespace holdfast::bench
