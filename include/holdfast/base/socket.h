#pragma once

#include <cstdint>
#include <optional>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/base/socket_options.h"

namespace holdfast {

// Stream sockets, as plain functions: the system calls and their errno in one place. All sockets
// are non-blocking and close-on-exec.

// Bound, not listening yet. `reuse_port` lets several sockets share the port (SO_REUSEPORT,
// socket(7)). A Unix path whose socket file nobody listens on any more is replaced; one in use, or
// a file that isn't a socket, is an error.
[[nodiscard]] Result<Fd> bind_to(const SocketAddress& address, bool reuse_port);

// Connections that wait to be accepted, at most; cut down by net.core.somaxconn.
inline constexpr int kAcceptBacklog = 4096;

// Begins to listen on a bound socket; on one that listens already it does nothing.
[[nodiscard]] Result<void> start_listening(const Fd& socket, const SocketAddress& address);

// A listening TCP socket drops new SYNs from now on; handshakes that have begun are finished and
// queued (SO_ATTACH_FILTER, socket(7)). So its queue comes to an end, and it can be closed without
// resetting anybody: a client whose SYN is dropped sends another. Other sockets are left alone.
void refuse_new_clients(int socket);
// Takes that back.
void admit_new_clients(int socket);

// Bound and listening.
[[nodiscard]] Result<Fd> listen_on(const SocketAddress& address, bool reuse_port);

// A connect under way or, for Unix sockets, often done already. The error carries the errno. A
// source that isn't of the address's family is left out.
[[nodiscard]] Result<Fd> start_connect(const SocketAddress& address,
                                       const ConnectOptions& options = {});

// Whether start_connect() could use it: it is one of this host's.
[[nodiscard]] Result<void> check_source(const SocketAddress& source);

// Whether a connect was put off until something is written (ConnectOptions::fastopen).
[[nodiscard]] bool is_connect_put_off(int socket);

// The outcome of a connect once the socket is writable or failed: 0 or an errno. A socket that met
// itself counts as refused: on an ephemeral port of this host, a connect to a dead backend can pick
// that very port as its source and succeed (RFC 793, simultaneous open; scar 31).
[[nodiscard]] int finish_connect(int socket);

// Trouble of this host, not of the one we talk to: out of ports, descriptors or memory.
[[nodiscard]] bool is_local_trouble(int code);

// No delay for small writes; urgent data in line. Best effort.
void tune_stream(int socket);

// close(2) will send RST instead of FIN and drop what is unsent (SO_LINGER 0, socket(7)).
void reset_on_close(int socket);

// Whether the socket is readable or writable now, as far as one is asked for (poll(2)).
[[nodiscard]] bool is_ready(int socket, bool readable, bool writable);

// Bytes written but not yet acknowledged by a peer that is still there (SIOCOUTQ, tcp(7)).
[[nodiscard]] int unacknowledged_bytes(int socket);

}  // namespace holdfast
