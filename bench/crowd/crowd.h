#pragma once

#include <memory>
#include <string>
#include <vector>

#include "crowd/losses.h"
#include "crowd/options.h"
#include "crowd/waits.h"
#include "holdfast/base/result.h"

namespace holdfast::bench {

// What the crowd saw from its beginning to its end.
struct CrowdResult {
  Losses idle;
  Losses busy;
  Losses downloads;
  Losses uploads;
  std::uint64_t new_attempted = 0;
  std::uint64_t new_failed = 0;
  std::map<std::string, std::uint64_t> new_reasons;  // of the failed ones
  cli::Latencies new_waits;                          // of the others, from when each was due
  std::uint64_t transfers = 0;                       // finished
  std::uint64_t bulk_bytes = 0;
  std::uint64_t requests = 0;         // of busy clients, answered
  std::uint64_t failed_requests = 0;  // whose connection was lost; they were asked again
  cli::Latencies waits;
  cli::Latencies late;
  std::vector<Stall> stalls;

  [[nodiscard]] std::uint64_t lost() const {
    return idle.lost + busy.lost + downloads.lost + uploads.lost;
  }
  [[nodiscard]] std::uint64_t wrong_bytes() const {
    return idle.wrong_bytes + busy.wrong_bytes + downloads.wrong_bytes + uploads.wrong_bytes;
  }
};

// All the clients of one balancer, each kind on a thread of its own: what checks content must not
// make those wait who measure waiting. Made and used by one thread.
class Crowd {
 public:
  // Begins to open connections.
  [[nodiscard]] static Result<std::unique_ptr<Crowd>> start(const CrowdOptions& options);
  ~Crowd();
  Crowd(Crowd&&) = delete;

  // Whether everything is established and at work.
  [[nodiscard]] bool is_ready() const;
  // Something happens now.
  void mark(std::string event) { events_.push_back({std::move(event), Clock::now()}); }

  // Ends it in order: no new connections, the transfers' ends, every idle connection tried once
  // more, the busy ones' answers. The requests under way are waited for, at most the timeout.
  [[nodiscard]] CrowdResult finish();

 private:
  struct Parts;
  explicit Crowd(std::unique_ptr<Parts> parts);

  std::unique_ptr<Parts> parts_;
  std::vector<Event> events_;
};

}  // namespace holdfast::bench
