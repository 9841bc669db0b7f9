#pragma once

#include <sys/types.h>

#include "holdfast/state/shared_state.h"
#include "holdfast/takeover/image.h"

namespace holdfast::takeover {

// An upgrade executes another program in the guardian's own process, so that whoever supervises it
// sees the same process go on. A keeper, cloned before, has the old image and all descriptors, and
// watches: from before the worker makes way until a worker of the new image says that it is ready
// to go on with the connections (UpgradeState::committed). Should the guardian die meanwhile,
// before or after it executed, or the new image not be ready in time, the keeper ends what is left
// and is the guardian.

// Makes the keeper and returns its pid, or -1 and errno. In the keeper it returns 0, when that has
// become the guardian: no worker runs then.
[[nodiscard]] pid_t make_keeper(pid_t worker, state::SharedState& shared);

// Nothing came of the upgrade, the guardian goes on.
void dismiss_keeper(state::SharedState& shared);

// Becomes the program that the image names. Returns where it can't be executed, rolled back.
void execute_upgrade(pid_t keeper, const Image& upgraded, state::SharedState& shared);

// Notes and says that the old image goes on.
void roll_back(state::SharedState& shared, state::UpgradeFailure failure, std::uint32_t detail);

// Whether an upgrade is under way of which nobody knows yet how it ends; or that the keeper takes
// back, until what was to take over is gone.
[[nodiscard]] bool is_on_trial(const state::SharedState& shared);

}  // namespace holdfast::takeover
