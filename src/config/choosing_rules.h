#pragma once

#include "config/rules.h"

namespace holdfast {

// What must hold of the keys that say which backend a client gets: hash, tiers, limits and queues.
void check_choosing(const Config& config, Diagnostics& diagnostics);

}  // namespace holdfast
