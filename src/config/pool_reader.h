#pragma once

#include "config/reader.h"

namespace holdfast {

// Adds what `node` says, at this place of the list, to config.pools.
void read_pool(Reader& reader, const YAML::Node& node, std::size_t place, Config& config);

}  // namespace holdfast
