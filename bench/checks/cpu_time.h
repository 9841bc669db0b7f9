#pragma once

#include "holdfast/base/clock.h"
#include "shared/process_group.h"

namespace holdfast::bench {

// What the members of the group have used so far, in user and kernel mode, to a hundredth of a
// second: utime and stime of proc(5). Nothing is left of those that have ended.
[[nodiscard]] Duration cpu_time_of(const ProcessGroup& processes);

}  // namespace holdfast::bench
