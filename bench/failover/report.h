#pragma once

#include <string>
#include <vector>

#include "failover/row.h"
#include "failover/summary.h"
#include "shared/contender.h"

namespace holdfast::bench {

// What became of a contender in a row.
struct Measured {
  const Contender* contender;
  std::vector<Run> runs;
  std::vector<Summary> rounds;  // of each run
};

struct MeasuredRow {
  Row row;
  std::vector<Measured> all;
};

// The medians as tables for a terminal.
[[nodiscard]] std::string to_table(const std::vector<MeasuredRow>& rows);

// All there is to say, as Markdown: machine, versions, schedule, medians, and the errors and worst
// waits of each round. `chart` is the picture's file name beside it; `notes` are of what could not
// be run, a line each.
[[nodiscard]] std::string to_markdown(const std::vector<MeasuredRow>& rows,
                                      const std::vector<Contender>& contenders,
                                      const Schedule& schedule, const std::string& chart,
                                      const std::vector<std::string>& notes);

}  // namespace holdfast::bench
