#pragma once

#include <string>
#include <vector>

#include "checks/run.h"

namespace holdfast::bench {

// All rounds of one type of check.
struct Row {
  Load load;
  std::vector<Run> rounds;
};

// A Markdown table.
[[nodiscard]] std::string to_table(const std::vector<Row>& rows);

// The table, with what it was measured on and how.
[[nodiscard]] std::string to_markdown(const std::vector<Row>& rows);

}  // namespace holdfast::bench
