#pragma once

#include <random>

#include "holdfast/base/clock.h"

namespace holdfast::health {

// When checks run. Pure; randomness is passed in.
using Random = std::minstd_rand;

// The first check: anywhere within one interval, so that those of a thousand backends spread.
[[nodiscard]] Duration first_check_after(Duration interval, Random& random);

// The next check: the interval, give or take a tenth, so that balancers started together don't
// stay in step.
[[nodiscard]] Duration next_check_after(Duration interval, Random& random);

}  // namespace holdfast::health
