#pragma once

#include "config/rules.h"

namespace holdfast {

// What must hold within one pool.
void check_pool(const PoolConfig& pool, Diagnostics& diagnostics);

}  // namespace holdfast
