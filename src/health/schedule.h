#pragma once

#include <random>

#include "holdfast/base/clock.h"
#include "holdfast/config/health_config.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::health {

// When checks run. Pure; randomness and the time are passed in.
using Random = std::minstd_rand;

// How long from one check to the next for a backend in this state: `fast_interval` while a check or
// two may change it, `down_interval` while it is down for good.
[[nodiscard]] Duration interval_for(const state::HealthRecord& record, const HealthConfig& config);

// The first check of the one at this place among so many that begin together: each has its own
// part of the interval, anywhere in it, so that those of a thousand backends spread evenly.
[[nodiscard]] Duration first_check_after(Duration interval, Random& random, std::size_t place = 0,
                                         std::size_t count = 1);

// The next check: the interval, give or take a tenth, so that balancers started together don't
// stay in step.
[[nodiscard]] Duration next_check_after(Duration interval, Random& random);

// How much longer a check that was due then waits. After a pause of the process all are due at
// once: what was held up for a second is spread over the second that follows, so that there are
// never more than twice as many as usual.
[[nodiscard]] Duration make_up_after(TimePoint due, TimePoint now, Duration interval,
                                     Random& random);

}  // namespace holdfast::health
