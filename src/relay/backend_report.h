#pragma once

#include <string_view>

#include "relay/context.h"

namespace holdfast::relay {

// Tells the pool what a connection says of a backend, and everybody if that takes the backend out
// or back in. On a relay thread.
void report_failure(Context& context, pool::Pool& pool, std::uint16_t backend,
                    std::string_view reason);
void report_success(Context& context, pool::Pool& pool, std::uint16_t backend);

}  // namespace holdfast::relay
