#include "holdfast/pool/health.h"

#include <algorithm>

namespace holdfast::pool {
namespace {

// Counting further than any threshold would only wrap.
void count(std::uint8_t& streak) {
  streak = static_cast<std::uint8_t>(std::min(streak + 1, 255));
}

state::Health next_state(const state::HealthRecord& record, const HealthConfig& config) {
  using state::Health;
  switch (record.state) {
    case Health::unknown:
      return record.successes > 0 ? Health::up : Health::down;
    case Health::up:
      return record.failures >= config.fall ? Health::down : Health::up;
    case Health::down:
      return record.successes >= config.rise ? Health::up : Health::down;
  }
  std::abort();
}

}  // namespace

std::optional<state::Health> advance_health(state::HealthRecord& record, bool passed,
                                            const HealthConfig& config) {
  if (passed) {
    count(record.successes);
    record.failures = 0;
  } else {
    count(record.failures);
    record.successes = 0;
  }
  const auto next = next_state(record, config);
  if (next == record.state) {
    return std::nullopt;
  }
  record.state = next;
  return next;
}

}  // namespace holdfast::pool
