#pragma once

#include <vector>

#include "cli/http_exchange.h"
#include "failover/row.h"
#include "shared/contender.h"

namespace holdfast::bench {

// One contender's run over a row's schedule, as the client saw it. Times are since the first
// request.
struct Run {
  struct Request {
    Duration intended;
    Duration finished;
    Duration latency;
    cli::Outcome outcome;
    bool inside;     // the backend had it when it was killed or fell silent, and said no more
    bool by_victim;  // the backend answered it
  };
  Duration event;  // when it began
  std::vector<Request> requests;
};

inline constexpr const char* kInterrupted = "interrupted";

// Blocks for the schedule's length and some start-up. `holdfast` is the binary for the backends.
// Signals SIGINT and SIGTERM are blocked, and end it with that error.
[[nodiscard]] Result<Run> run_once(const Row& row, const Contender& contender,
                                   const Schedule& schedule, const std::string& holdfast);

}  // namespace holdfast::bench
