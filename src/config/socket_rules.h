#pragma once

#include "config/rules.h"

namespace holdfast {

// What must hold of a listener's and of a pool's socket options.
void check_sockets(const ListenerConfig& listener, Diagnostics& diagnostics);
void check_sockets(const PoolConfig& pool, Diagnostics& diagnostics);

}  // namespace holdfast
