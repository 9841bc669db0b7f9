#pragma once

#include <vector>

#include "continuity/run.h"

namespace holdfast::bench {

// A run, or the medians of several, in the numbers of the table.
struct Summary {
  double lost = 0;        // established connections, of all kinds
  double wrong = 0;       // bytes
  double new_failed = 0;  // new connections without an answer
  double new_attempted = 0;
  double stall_p50 = 0;  // milliseconds: the longest wait of each busy client
  double stall_p99 = 0;
  double stall_max = 0;
  double recovered = 0;  // milliseconds from the event to the end of the longest of these
  double leftover = 0;   // processes
  double late = 0;       // milliseconds: p99.9 of what the load itself was late
};

// Sorts what it counts.
[[nodiscard]] Summary summarize(Run& run);

// The median of each number by itself.
[[nodiscard]] Summary median(const std::vector<Summary>& summaries);

}  // namespace holdfast::bench
