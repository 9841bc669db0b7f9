#pragma once

#include "holdfast/base/clock.h"

namespace holdfast::cli {

// When the demo's events are due, from the first request on. A value: all of it grows with the
// whole duration. Between the rows of the table, which is one a second, where it lasts 16 s.
struct DemoSchedule {
  static constexpr int kWorkerDeaths = 10;

  Duration backend_dies;
  Duration backend_returns;
  Duration connections_open;
  Duration first_worker_death;
  Duration between_deaths;
  Duration upgrade;
  Duration end;

  [[nodiscard]] static DemoSchedule over(Duration duration);
  // Of the first death `number` is 0.
  [[nodiscard]] Duration worker_death(int number) const {
    return first_worker_death + number * between_deaths;
  }
};

// The shortest one: below it a worker would die before it has lived 200 ms, and a guardian takes
// its time with a worker whose predecessors died young. (There is also room for the two checks
// that take a backend down and the two that bring it back.)
inline constexpr Duration kShortestDemo = std::chrono::seconds(8);
inline constexpr Duration kLongestDemo = std::chrono::hours(1);

}  // namespace holdfast::cli
