#pragma once

#include "holdfast/guardian/image.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::guardian {

// Becomes the program that the image names, in this process, so that whoever supervises it sees the
// same process go on. Before, the process is forked: the child keeps the old image, and all
// descriptors, and watches. When a worker of the new image is ready to go on with the connections
// it says so (UpgradeState::committed), and the child goes. When the new image ends before, or
// isn't ready in time, the child ends what is left of it.
//
// Returns where the old image goes on: in this process, when the file couldn't be executed, or in
// the child, which is the guardian from then on. No worker runs when it is called or returns.
void try_upgrade(const Image& upgraded, state::SharedState& shared);

// Whether this process is a new image of which nobody knows yet whether it serves.
[[nodiscard]] bool is_on_trial(const state::SharedState& shared);

}  // namespace holdfast::guardian
