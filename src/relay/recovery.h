#pragma once

#include <memory>

#include "holdfast/state/connection_record.h"

namespace holdfast::relay {

// Makes a live record that a dead worker left agree with what the kernel has: bytes in its pipes,
// bytes that a copy left in two places. False when it can't: a descriptor is gone or is something
// else, or nobody can tell which bytes have passed. The connection has to be closed then.
[[nodiscard]] bool reconcile(state::ConnectionRecord& record);

// Closes what a record names that nobody can go on with.
void discard(state::ConnectionRecord& record);

}  // namespace holdfast::relay
