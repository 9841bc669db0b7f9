#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <vector>

#include "cli/http_exchange.h"
#include "cli/instance_process.h"
#include "cli/latency.h"

namespace holdfast::cli {

// What became of a number of requests.
struct RequestCount {
  std::size_t requests = 0;
  std::size_t failed = 0;
  Latencies latencies;  // of the answered ones
};

// Failures by where the blame lies. `inside` had been taken by the instance that was killed: no
// balancer of TCP connections can answer those.
struct FailureCount {
  std::size_t inside = 0;
  std::map<Outcome, std::size_t> elsewhere;
};

// Counts what the demo's client sees. The load thread adds, the main thread reads; owned by the
// Demo.
class DemoTally {
 public:
  void add(const FinishedRequest& request);

  // What was added since the last call.
  [[nodiscard]] RequestCount take_recent();
  [[nodiscard]] RequestCount total() const;
  [[nodiscard]] FailureCount judge_failures(
      const std::optional<InstanceProcess::Death>& death) const;

 private:
  mutable std::mutex mutex_;
  RequestCount recent_;                    // guarded by mutex_
  RequestCount total_;                     // guarded by mutex_
  std::vector<FinishedRequest> failures_;  // guarded by mutex_
};

// Whether a failed request was inside the killed instance: begun before the instance was gone, and
// ended by its kernel's goodbye.
[[nodiscard]] bool was_inside(const FinishedRequest& request, const InstanceProcess::Death& death);

}  // namespace holdfast::cli
