#include "failover/summary.h"

#include <algorithm>

#include "cli/latency.h"
#include "shared/table.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;
using cli::Outcome;
using cli::to_milliseconds;

// Before the backend counts as out: a command and a reload take their time.
constexpr auto kSettling = 1s;

double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

// Of the answered requests of all runs, by when they were due.
std::vector<cli::Latencies> latencies_over_time(const std::vector<Run>& runs,
                                                const Schedule& schedule, Duration step) {
  std::vector<cli::Latencies> steps(static_cast<std::size_t>(schedule.end / step));
  for (const auto& run : runs) {
    for (const auto& request : run.requests) {
      const auto place = static_cast<std::size_t>(request.intended / step);
      if (request.outcome == Outcome::answered && place < steps.size()) {
        steps[place].add(request.latency);
      }
    }
  }
  return steps;
}

}  // namespace

Summary summarize(const Run& run, const Schedule& schedule) {
  Summary summary;
  cli::Latencies latencies;
  cli::Latencies before;
  Duration worst{};
  for (const auto& request : run.requests) {
    summary.requests += 1;
    summary.over_50 += request.latency > 50ms ? 1 : 0;
    summary.over_500 += request.latency > 500ms ? 1 : 0;
    if (request.finished >= run.event && !request.inside) {
      worst = std::max(worst, request.latency);
    }
    if (request.outcome != Outcome::answered) {
      summary.errors += 1;
      summary.inside += request.inside ? 1 : 0;
      summary.last_error =
          std::max(summary.last_error, to_milliseconds(request.finished - run.event));
      continue;
    }
    latencies.add(request.latency);
    if (request.finished < run.event) {
      before.add(request.latency);
    }
    const bool is_out =
        request.intended >= run.event + kSettling && request.intended < schedule.is_over;
    summary.meanwhile += request.by_victim && is_out ? 1 : 0;
  }
  summary.p50 = to_milliseconds(latencies.percentile(50));
  summary.p99 = to_milliseconds(latencies.percentile(99));
  summary.p999 = to_milliseconds(latencies.percentile(99.9));
  summary.max = to_milliseconds(latencies.max());
  summary.worst_wait = to_milliseconds(worst - before.percentile(50));
  return summary;
}

Summary median(const std::vector<Summary>& summaries) {
  const auto of = [&](double Summary::*number) {
    std::vector<double> values;
    for (const auto& summary : summaries) {
      values.push_back(summary.*number);
    }
    return median(std::move(values));
  };
  Summary result;
  for (const auto number :
       {&Summary::requests, &Summary::errors, &Summary::inside, &Summary::p50, &Summary::p99,
        &Summary::p999, &Summary::max, &Summary::over_50, &Summary::over_500, &Summary::worst_wait,
        &Summary::last_error, &Summary::meanwhile}) {
    result.*number = of(number);
  }
  return result;
}

Series make_series(const std::vector<Run>& runs, const Schedule& schedule) {
  Series series;
  const auto seconds = to_seconds(Series::kBucket) * static_cast<double>(runs.size());
  for (const auto& bucket : latencies_over_time(runs, schedule, Series::kBucket)) {
    series.throughput.push_back(static_cast<double>(bucket.size()) / seconds);
  }
  for (auto& window : latencies_over_time(runs, schedule, Series::kWindow)) {
    series.p99.push_back(window.empty() ? -1 : to_milliseconds(window.percentile(99)));
  }
  return series;
}

}  // namespace holdfast::bench
