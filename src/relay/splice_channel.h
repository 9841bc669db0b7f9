#pragma once

#include <cstddef>

#include "relay/transfer.h"

namespace holdfast::relay {

// splice(2) between a socket and a pipe, one call a step; bytes never enter this process. Without
// SPLICE_F_MORE, which would hold back the last segment for up to 200 ms (scar 9).

// Socket to pipe. The pipe must be empty: EAGAIN can then only mean an empty socket, never a full
// pipe (scar 1).
[[nodiscard]] Transfer splice_in(int source, int pipe_write, std::size_t limit);

// Pipe to socket, of the `held` bytes inside the pipe.
[[nodiscard]] Transfer splice_out(int pipe_read, int sink, std::size_t held);

}  // namespace holdfast::relay
