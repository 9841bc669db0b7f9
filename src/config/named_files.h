#pragma once

#include "config/rules.h"

namespace holdfast {

// Whether the files that the configuration names can be read and are what they should be: the
// certificates of checks. Opens them; the rest of src/config/ looks at nothing but the text.
void check_files(const Config& config, Diagnostics& diagnostics);

}  // namespace holdfast
