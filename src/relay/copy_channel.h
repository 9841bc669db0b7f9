#pragma once

#include <cstddef>
#include <span>

#include "relay/transfer.h"

namespace holdfast::relay {

// Moving bytes through user space, for when there is no pipe or splice(2) refuses. Nothing stays
// here between two calls, whatever happens in between.

// Socket to socket: looks at what has come (MSG_PEEK), sends what the sink takes, and only then
// removes that much from the source. What the sink doesn't take stays in the source's own buffer,
// where back-pressure finds it.
[[nodiscard]] Transfer copy_across(int source, int sink, std::span<char> scratch);

// Whether there is something to copy: `moved` if so, with nothing moved.
[[nodiscard]] Transfer look(int source);

// Pipe to socket, of the `held` bytes inside the pipe. What the sink doesn't take goes back into
// the pipe, which was just emptied and has room for it. `scratch` holds at least a whole pipe.
[[nodiscard]] Transfer copy_out(int pipe_read, int pipe_write, int sink, std::size_t held,
                                std::span<char> scratch);

}  // namespace holdfast::relay
