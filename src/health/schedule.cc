#include "health/schedule.h"

namespace holdfast::health {
namespace {

constexpr Duration kHeldUp = std::chrono::milliseconds(100);  // less is an ordinary delay

}  // namespace

Duration interval_for(const state::HealthRecord& record, const HealthConfig& config) {
  using state::Health;
  const bool is_settled = (record.state == Health::up && record.failures == 0) ||
                          (record.state == Health::down && record.successes == 0);
  if (!is_settled) {
    return config.fast_interval.value_or(config.interval);
  }
  return record.state == Health::down ? config.down_interval.value_or(config.interval)
                                      : config.interval;
}

Duration first_check_after(Duration interval, Random& random, std::size_t place,
                           std::size_t count) {
  const auto part = interval.count() / static_cast<Duration::rep>(count);
  return Duration(part * static_cast<Duration::rep>(place)) +
         Duration(std::uniform_int_distribution<Duration::rep>(0, part)(random));
}

Duration next_check_after(Duration interval, Random& random) {
  const auto tenth = interval.count() / 10;
  return interval + Duration(std::uniform_int_distribution<Duration::rep>(-tenth, tenth)(random));
}

Duration make_up_after(TimePoint due, TimePoint now, Duration interval, Random& random) {
  const auto late = now - due;
  if (late <= kHeldUp) {
    return Duration::zero();
  }
  return late <= interval ? late : first_check_after(interval, random);
}

}  // namespace holdfast::health
