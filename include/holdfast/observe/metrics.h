#pragma once

#include <string>
#include <string_view>

#include "holdfast/state/shared_state.h"

namespace holdfast::observe {

// What Prometheus scrapes, in its text format (version 0.0.4). Every series exists from the start,
// at 0; docs/metrics.md says what each means. From any thread; all the work is the caller's.
[[nodiscard]] std::string render_metrics(const state::SharedState& shared,
                                         std::string_view version);

}  // namespace holdfast::observe
