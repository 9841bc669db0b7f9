#pragma once

#include <string_view>

#include "relay/context.h"

namespace holdfast::relay {

// Says that this host is why a connect to the backend could not be made, once a minute for a pool:
// which address of its own it has not got, or that ports, descriptors or memory have run out.
void report_local_trouble(Context& context, const pool::Pool& pool, const pool::Backend& backend,
                          std::string_view reason);

// Tells the pool what a connection says of a backend, and everybody if that takes the backend out
// or back in. On a relay thread.
void report_failure(Context& context, pool::Pool& pool, std::uint16_t backend,
                    std::string_view reason);
void report_success(Context& context, pool::Pool& pool, std::uint16_t backend);

}  // namespace holdfast::relay
