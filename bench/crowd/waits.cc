#include "crowd/waits.h"

#include <algorithm>

namespace holdfast::bench {
namespace {

Stall stall_of(const Event& event, TimePoint end, const WaitsOfClients& clients) {
  Stall stall{event, {}};
  for (const auto& waits : clients) {
    auto longest = Duration::zero();
    auto wait = std::partition_point(waits.begin(), waits.end(),
                                     [&](const Wait& each) { return each.answered < event.at; });
    const auto again =
        std::find_if(wait, waits.end(), [&](const Wait& each) { return each.due >= event.at; });
    if (again != waits.end()) {
      stall.answered_again = std::max(stall.answered_again, again->answered - event.at);
    }
    for (; wait != waits.end() && wait->due < end; ++wait) {
      longest = std::max(longest, wait->answered - wait->due);
    }
    stall.longest.add(longest);
  }
  return stall;
}

}  // namespace

cli::Latencies all_waits(const WaitsOfClients& clients, Duration interval) {
  cli::Latencies all;
  for (const auto& waits : clients) {
    for (const auto& wait : waits) {
      for (auto due = wait.due; due < wait.answered; due += interval) {
        all.add(wait.answered - due);
      }
    }
  }
  return all;
}

cli::Latencies sent_late(const WaitsOfClients& clients) {
  cli::Latencies late;
  for (const auto& waits : clients) {
    for (const auto& wait : waits) {
      late.add(wait.sent - wait.due);
    }
  }
  return late;
}

std::vector<Stall> stalls(const WaitsOfClients& clients, const std::vector<Event>& events,
                          Duration window) {
  std::vector<Stall> result;
  for (std::size_t i = 0; i < events.size(); ++i) {
    auto end = events[i].at + window;
    if (i + 1 < events.size()) {
      end = std::min(end, events[i + 1].at);
    }
    result.push_back(stall_of(events[i], end, clients));
  }
  return result;
}

}  // namespace holdfast::bench
