#pragma once

#include "config/reader.h"

namespace holdfast {

// A whole number from 0 to 100 and its sign: "50%".
void read_percentage(Reader& reader, const YAML::Node& node, unsigned& value);

}  // namespace holdfast
