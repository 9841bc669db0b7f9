#pragma once

#include <cstdint>

#include "holdfast/config/config.h"
#include "holdfast/state/connection_record.h"

namespace holdfast::relay {

// The hash of what the pool recognises this client by: the same after a crash, in every process
// and on every machine. Clients that have no address (Unix sockets) are all different. 0 when the
// pool has no use for it.
[[nodiscard]] std::uint64_t client_key(const PoolConfig& pool,
                                       const state::ConnectionRecord& record);

}  // namespace holdfast::relay
