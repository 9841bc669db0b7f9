#include "cli/demo_schedule.h"

namespace holdfast::cli {

DemoSchedule DemoSchedule::over(Duration duration) {
  const auto at = [duration](int tenth_of_sixteen_seconds) {
    return duration * tenth_of_sixteen_seconds / 160;
  };
  return {.backend_dies = at(22),
          .backend_returns = at(52),
          .connections_open = at(66),
          .first_worker_death = at(73),
          .between_deaths = at(6),
          .upgrade = at(136),
          .end = duration};
}

}  // namespace holdfast::cli
