#include "continuity/summary.h"

#include "shared/table.h"

namespace holdfast::bench {

using cli::to_milliseconds;

Summary summarize(Run& run) {
  auto& crowd = run.crowd;
  Summary summary;
  summary.lost = static_cast<double>(crowd.lost());
  summary.wrong = static_cast<double>(crowd.wrong_bytes());
  summary.new_failed = static_cast<double>(crowd.new_failed);
  summary.new_attempted = static_cast<double>(crowd.new_attempted);
  auto& stall = crowd.stalls.front();
  summary.stall_p50 = to_milliseconds(stall.longest.percentile(50));
  summary.stall_p99 = to_milliseconds(stall.longest.percentile(99));
  summary.stall_max = to_milliseconds(stall.longest.max());
  summary.recovered = to_milliseconds(stall.recovered);
  summary.leftover = run.leftover_processes;
  summary.late = to_milliseconds(crowd.late.percentile(99.9));
  return summary;
}

Summary median(const std::vector<Summary>& summaries) {
  Summary result;
  for (const auto number :
       {&Summary::lost, &Summary::wrong, &Summary::new_failed, &Summary::new_attempted,
        &Summary::stall_p50, &Summary::stall_p99, &Summary::stall_max, &Summary::recovered,
        &Summary::leftover, &Summary::late}) {
    std::vector<double> values;
    for (const auto& summary : summaries) {
      values.push_back(summary.*number);
    }
    result.*number = median(std::move(values));
  }
  return result;
}

}  // namespace holdfast::bench
