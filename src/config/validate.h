#pragma once

#include "holdfast/config/config.h"
#include "holdfast/config/diagnostic.h"

namespace holdfast {

// What each value alone can't tell: names that clash or lead nowhere, addresses that can't be
// meant, settings that contradict each other. Pure.
void validate(const Config& config, Diagnostics& diagnostics);

}  // namespace holdfast
