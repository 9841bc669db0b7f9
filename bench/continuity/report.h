#pragma once

#include <string>
#include <vector>

#include "continuity/summary.h"

namespace holdfast::bench {

struct MeasuredRow {
  Row row;
  std::vector<Summary> rounds;             // that could be run
  std::vector<std::string> failures = {};  // why the others could not
};

// The medians as a table for a terminal.
[[nodiscard]] std::string to_table(const std::vector<MeasuredRow>& rows);

// All there is to say, as Markdown: machine, versions, the load, medians, and each round.
[[nodiscard]] std::string to_markdown(const std::vector<MeasuredRow>& rows,
                                      const std::vector<Contender>& contenders,
                                      const CrowdOptions& load);

}  // namespace holdfast::bench
