#pragma once

#include "config/rules.h"

namespace holdfast {

// What must hold within `health` of a pool: which keys its type takes, and what contradicts what.
void check_health(const PoolConfig& pool, Diagnostics& diagnostics);

}  // namespace holdfast
