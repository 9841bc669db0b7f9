#pragma once

#include <string>

#include "holdfast/state/shared_state.h"

namespace holdfast::observe {

// The last events as JSON, newest last:
// [{"number":1,"time":"2026-03-01T12:00:00.000Z","event":"worker_died","fields":{"cause":"killed"}}]
// All values of fields are strings. From any thread.
[[nodiscard]] std::string render_events(const state::SharedState& shared);

}  // namespace holdfast::observe
