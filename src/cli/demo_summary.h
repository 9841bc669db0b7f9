#pragma once

#include <string>

#include "cli/demo_screen.h"
#include "cli/demo_tally.h"

namespace holdfast::cli {

// The closing lines about the requests; `victim` is the instance that was killed. Whether none
// failed but those inside it.
bool summarize_requests(DemoScreen& screen, const DemoTally& tally,
                        const std::optional<InstanceProcess::Death>& death,
                        const std::string& victim);

}  // namespace holdfast::cli
