#pragma once

#include "shared/balancer.h"

namespace holdfast::bench {

// Takes a backend of the service "web" out, or back in, as each balancer's documentation has it:
// holdfast by its command, HAProxy by its runtime API, nginx by a changed configuration and a
// reload.
[[nodiscard]] Result<void> drain(Balancer& balancer, const std::string& backend);
[[nodiscard]] Result<void> make_ready(Balancer& balancer, const std::string& backend);

}  // namespace holdfast::bench
