#include "cli/demo_tally.h"

#include <cstdlib>
#include <utility>

namespace holdfast::cli {
namespace {

void add_to(RequestCount& count, const FinishedRequest& request) {
  ++count.requests;
  if (request.outcome == Outcome::answered) {
    count.latencies.add(request.latency());
  } else {
    ++count.failed;
  }
}

}  // namespace

void DemoTally::add(const FinishedRequest& request) {
  const std::lock_guard lock(mutex_);
  add_to(recent_, request);
  add_to(total_, request);
  if (request.outcome != Outcome::answered) {
    failures_.push_back(request);
  }
}

RequestCount DemoTally::take_recent() {
  const std::lock_guard lock(mutex_);
  return std::exchange(recent_, {});
}

RequestCount DemoTally::total() const {
  const std::lock_guard lock(mutex_);
  return total_;
}

FailureCount DemoTally::judge_failures(const std::optional<InstanceProcess::Death>& death) const {
  const std::lock_guard lock(mutex_);
  FailureCount count;
  for (const auto& failure : failures_) {
    if (death && was_inside(failure, *death)) {
      ++count.inside;
    } else {
      ++count.elsewhere[failure.outcome];
    }
  }
  return count;
}

bool was_inside(const FinishedRequest& request, const InstanceProcess::Death& death) {
  switch (request.outcome) {
    case Outcome::reset:
    case Outcome::ended_early:
      return request.started <= death.reaped && request.finished >= death.signalled;
    case Outcome::answered:
    case Outcome::refused:
    case Outcome::timed_out:
    case Outcome::not_sent:
    case Outcome::other:
      return false;
  }
  std::abort();
}

}  // namespace holdfast::cli
