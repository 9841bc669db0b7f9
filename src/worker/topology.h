#pragma once

#include <memory>
#include <vector>

#include "holdfast/base/log.h"
#include "holdfast/config/config.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::worker {

// Turns the configuration's pools into the pools that run: backends get their index in the shared
// state and their address. Host names are resolved here, which may block; a name that fails is a
// warning and a backend that is down. Names the entries of the shared state.
[[nodiscard]] std::vector<std::unique_ptr<pool::Pool>> make_pools(const Config& config,
                                                                  state::SharedState& shared,
                                                                  Log& log);

}  // namespace holdfast::worker
