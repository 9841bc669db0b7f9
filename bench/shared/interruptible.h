#pragma once

#include "shared/balancer.h"

namespace holdfast::bench {

// Waits until then, reading what the balancer writes. False when SIGINT or SIGTERM, which are
// blocked, asks us to end first.
[[nodiscard]] bool wait_until(TimePoint time, Balancer& balancer);

}  // namespace holdfast::bench
