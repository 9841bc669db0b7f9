#pragma once

#include <cstddef>
#include <vector>

#include "failover/run.h"

namespace holdfast::bench {

// A run, or the medians of several, in the numbers of the table.
struct Summary {
  double requests = 0;
  double errors = 0;
  double inside = 0;  // of the errors: requests that had reached the backend already
  double p50 = 0;     // milliseconds, of all answered requests, from when each was due
  double p99 = 0;
  double p999 = 0;
  double max = 0;
  double over_50 = 0;   // requests that took longer than that many milliseconds, whatever became
  double over_500 = 0;  // of them
  // Milliseconds: the longest that any took that was under way at the event or came after it, those
  // inside excepted, beyond the median of those before.
  double worst_wait = 0;
  double last_error = 0;  // milliseconds from the event to the last error; 0 without any
  double meanwhile = 0;   // answered by the backend from a second after the event until it is over
};

[[nodiscard]] Summary summarize(const Run& run, const Schedule& schedule);

// The median of each number by itself; of an even count, the lower one of the middle two, so that
// every number shown was measured.
[[nodiscard]] Summary median(const std::vector<Summary>& summaries);

// What the client saw over time, the rounds laid on top of each other, by when requests were due.
struct Series {
  static constexpr Duration kBucket = std::chrono::milliseconds(10);
  static constexpr Duration kWindow = std::chrono::milliseconds(50);  // a p99 needs some requests

  std::vector<double> throughput;  // of each bucket: answered requests a second, mean of the rounds
  std::vector<double> p99;         // of each window: milliseconds; negative without an answer
};

[[nodiscard]] Series make_series(const std::vector<Run>& runs, const Schedule& schedule);

}  // namespace holdfast::bench
