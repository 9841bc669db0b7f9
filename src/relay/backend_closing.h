#pragma once

#include "holdfast/relay/relay.h"
#include "holdfast/state/connection_record.h"

namespace holdfast::relay {

// Whether this connection is among those. By its number alone, which is in the shared state: a
// worker that goes on with a closing comes to the same choice as the one that began it. Pure.
[[nodiscard]] bool is_due(const state::ConnectionRecord& record, const BackendClosing& closing);

}  // namespace holdfast::relay
