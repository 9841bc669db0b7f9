#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

namespace holdfast::relay {

// What the kernel remembers of the bytes that went through a TCP socket (tcp(7), TCP_INFO): after
// a crash it tells what a copy that was cut off had done.

// How many bytes the sink got that are still in the source too (above 0), or that are in neither
// (below 0), when `held` of what was taken from the source lie in a pipe. The sink was sent no FIN.
// Nothing when the kernel can't tell, as for Unix sockets and closed ones. `sink_is_ours`: it is we
// who connected it.
[[nodiscard]] std::optional<std::int64_t> bytes_ahead(int source, int sink, std::uint32_t held,
                                                      bool sink_is_ours);

// Whether a source that is closed got its peer's FIN; else it was reset. All that was taken from it
// is in the sink, which was sent no FIN, but for `held` bytes. Nothing when the kernel can't tell.
[[nodiscard]] std::optional<bool> got_fin(int source, int sink, std::uint32_t held,
                                          bool sink_is_ours);

// Takes that many bytes off the front of what a socket received. False when they aren't there.
[[nodiscard]] bool drop_bytes(int socket, std::size_t bytes);

// A TCP socket in state CLOSE: reset, or done in both directions.
[[nodiscard]] bool is_closed(int socket);

}  // namespace holdfast::relay
