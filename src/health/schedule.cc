#include "health/schedule.h"

namespace holdfast::health {

Duration first_check_after(Duration interval, Random& random) {
  return Duration(std::uniform_int_distribution<Duration::rep>(0, interval.count())(random));
}

Duration next_check_after(Duration interval, Random& random) {
  const auto tenth = interval.count() / 10;
  return interval + Duration(std::uniform_int_distribution<Duration::rep>(-tenth, tenth)(random));
}

}  // namespace holdfast::health
