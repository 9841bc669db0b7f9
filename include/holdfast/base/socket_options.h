#pragma once

#include <chrono>

#include "holdfast/base/socket_address.h"

namespace holdfast {

// What a connection asks of its TCP socket, and what sets it. Values; a Unix socket has none of
// it, and is served without.

// How a peer that is gone is noticed on a connection without traffic (tcp(7)). 0: as net.ipv4 has
// it (tcp_keepalive_time, tcp_keepalive_intvl, tcp_keepalive_probes).
struct Keepalive {
  bool on = true;
  std::chrono::milliseconds idle{0};      // whole seconds
  std::chrono::milliseconds interval{0};  // whole seconds
  unsigned count = 0;
};

struct StreamOptions {
  // How long what was sent may stay unacknowledged, or the peer's window shut, before the
  // connection is given up (TCP_USER_TIMEOUT). 0: for as long as the kernel tries.
  std::chrono::milliseconds user_timeout{0};
  Keepalive keepalive;
};

// Of a socket that connects. With `fastopen`, and a peer whose cookie the kernel has, the connect
// only seems done: nothing is sent before the first byte is written (TCP_FASTOPEN_CONNECT).
struct ConnectOptions {
  SocketAddress source;  // port 0; size 0: the kernel's choice, as for peers of another family
  StreamOptions stream;
  bool fastopen = false;
};

// Of a listening socket; connections accepted from it have its StreamOptions from the start.
struct ListenOptions {
  StreamOptions stream;
  unsigned fastopen = 0;  // how many may have sent data before their handshake is done; 0: none
};

// Whether this host's kernel heeds ListenOptions::fastopen (net.ipv4.tcp_fastopen).
[[nodiscard]] bool accepts_fastopen();

// Best effort. To a new socket, which has what the kernel gives everybody.
void apply(const StreamOptions& options, int socket);
// To a listening socket that may have had others before: connections from now on have these.
void apply(const ListenOptions& options, int socket);

}  // namespace holdfast
