#pragma once

#include "config/reader.h"

namespace holdfast {

// Adds what `node` says, at this place of the list, to config.listeners.
void read_listener(Reader& reader, const YAML::Node& node, std::size_t place, Config& config);

}  // namespace holdfast
