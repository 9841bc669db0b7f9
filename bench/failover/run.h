#pragma once

#include <vector>

#include "cli/http_exchange.h"
#include "cli/instance_process.h"
#include "shared/contender.h"

namespace holdfast::bench {

// What happens when, counted from the first request of a run.
struct Schedule {
  double rate = 1000;  // requests a second
  Duration killed = std::chrono::seconds(3);
  Duration revived = std::chrono::seconds(8);
  Duration end = std::chrono::seconds(12);
};

// One contender's run over the schedule, as the client saw it. Times are since the first request.
struct Run {
  struct Request {
    Duration intended;
    Duration finished;
    Duration latency;
    cli::Outcome outcome;
    bool inside;  // it had begun before the killed backend was gone, and ended by reset or EOF
  };
  Duration killed;  // when the signal was sent
  std::vector<Request> requests;
};

// Blocks for the schedule's length and some start-up. All backends run at the beginning and at
// the end. Signals SIGINT and SIGTERM are blocked, and end it with an error.
[[nodiscard]] Result<Run> run_once(const Contender& contender, const Schedule& schedule,
                                   std::vector<cli::InstanceProcess>& backends,
                                   const std::filesystem::path& directory);

}  // namespace holdfast::bench
