#include "failover/summary.h"

#include <algorithm>

#include "cli/latency.h"
#include "shared/table.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;
using cli::Outcome;
using cli::to_milliseconds;

constexpr auto kPromptly = 50ms;
constexpr auto kAtKill = 500ms;  // as long as a balancer with these checks takes to notice

double to_seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

double answered_per_second(const Run& run, Duration from, Duration to) {
  const auto answered =
      std::count_if(run.requests.begin(), run.requests.end(), [&](const Run::Request& request) {
        return request.outcome == Outcome::answered && request.intended >= from &&
               request.intended < to;
      });
  return static_cast<double>(answered) / to_seconds(to - from);
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
  summary.before = answered_per_second(run, 0s, schedule.killed);
  summary.during = answered_per_second(run, schedule.killed, schedule.revived);
  summary.after = answered_per_second(run, schedule.revived, schedule.end);
  cli::Latencies latencies;
  cli::Latencies at_kill;
  for (const auto& request : run.requests) {
    if (request.outcome == Outcome::answered) {
      latencies.add(request.latency);
      if (request.intended >= run.killed && request.intended < run.killed + kAtKill) {
        at_kill.add(request.latency);
      }
      continue;
    }
    const auto since_kill = request.finished - run.killed;
    summary.errors += 1;
    summary.inside += request.inside ? 1 : 0;
    summary.late += since_kill > kPromptly ? 1 : 0;
    summary.last_error = std::max(summary.last_error, to_milliseconds(since_kill));
  }
  summary.p50 = to_milliseconds(latencies.percentile(50));
  summary.p99 = to_milliseconds(latencies.percentile(99));
  summary.p999 = to_milliseconds(latencies.percentile(99.9));
  summary.max = to_milliseconds(latencies.max());
  summary.p99_at_kill = to_milliseconds(at_kill.percentile(99));
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
       {&Summary::before, &Summary::during, &Summary::after, &Summary::p50, &Summary::p99,
        &Summary::p999, &Summary::max, &Summary::p99_at_kill, &Summary::errors, &Summary::inside,
        &Summary::late, &Summary::last_error}) {
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
