#pragma once

#include "config/reader.h"

namespace holdfast {

// Reads `health` of a pool, whatever its type: which keys fit that is judged later.
void read_health(Reader& reader, const YAML::Node& node, PoolConfig& pool);

}  // namespace holdfast
