#pragma once

#include <string>
#include <vector>

#include "cli/latency.h"
#include "holdfast/base/clock.h"

namespace holdfast::bench {

// A request that was answered. A client that waits asks nothing meanwhile: the requests that would
// have fallen due at its pace wait too, from when each was due until the same answer. Leaving them
// out would make a stall look like one slow request.
struct Wait {
  TimePoint due;
  TimePoint sent;
  TimePoint answered;
};

// Of each client, in the order they were asked.
using WaitsOfClients = std::vector<std::vector<Wait>>;

// What the requests waited, those that were not sent while their client waited included.
[[nodiscard]] cli::Latencies all_waits(const WaitsOfClients& clients, Duration interval);
// By how much requests were sent later than they were due: the load's own fault, and a part of what
// they waited.
[[nodiscard]] cli::Latencies sent_late(const WaitsOfClients& clients);

struct Event {
  std::string name;
  TimePoint at;
};

// What clients noticed of an event.
struct Stall {
  Event event;
  // The longest wait of each client for an answer after the event, of requests that fell due no
  // later than a window after it. What lies before it, or after the next event, isn't counted.
  cli::Latencies longest;
  // From the event to the answer that ended the longest of these. Where nothing stalls that is any
  // moment.
  Duration recovered = Duration::zero();
};

// The events are in the order they happened.
[[nodiscard]] std::vector<Stall> stalls(const WaitsOfClients& clients,
                                        const std::vector<Event>& events, Duration window);

}  // namespace holdfast::bench
