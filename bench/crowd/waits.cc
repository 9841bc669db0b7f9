#include "crowd/waits.h"

#include <algorithm>

namespace holdfast::bench {
namespace {

Stall stall_of(const Event& event, TimePoint last_due, TimePoint next_event,
               const WaitsOfClients& clients) {
  Stall stall{event, {}};
  auto worst = Duration::zero();
  for (const auto& waits : clients) {
    auto longest = Duration::zero();
    auto wait = std::partition_point(waits.begin(), waits.end(),
                                     [&](const Wait& each) { return each.answered < event.at; });
    for (; wait != waits.end() && wait->due < std::min(last_due, next_event); ++wait) {
      const auto end = std::min(wait->answered, next_event);
      const auto length = end - std::max(wait->due, event.at);
      longest = std::max(longest, length);
      if (length > worst) {
        worst = length;
        stall.recovered = end - event.at;
      }
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
    const auto next = i + 1 < events.size() ? events[i + 1].at : TimePoint::max();
    result.push_back(stall_of(events[i], events[i].at + window, next, clients));
  }
  return result;
}

}  // namespace holdfast::bench
