#pragma once

#include <cstdint>
#include <vector>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::worker {

// The sockets of all listeners, as recorded in the shared state: one for each bind address and
// relay thread. IP addresses have as many sockets that share the port; a Unix path has one socket,
// which every thread holds. What is there already, from a worker before this one or from the
// configuration before this one, is kept: a socket that is closed resets whoever waits in its
// queue. Control thread.
class ListeningSockets {
 public:
  explicit ListeningSockets(state::SharedState& shared) : shared_(shared) {}

  // Sees to it that there is a socket at `address` for each of `threads`. Returns those that this
  // call made; they listen already. On an error nothing is left behind.
  [[nodiscard]] Result<std::vector<state::ListeningSocket*>> open(std::uint16_t listener,
                                                                  const SocketAddress& address,
                                                                  unsigned threads);

  // All that are recorded, of every listener.
  [[nodiscard]] std::vector<state::ListeningSocket*> all() const;

  // Forgets a socket that its thread has closed, and removes a Unix socket's file with the last of
  // them, unless somebody else's is there by then (scar 42).
  void forget(state::ListeningSocket& socket);

  // A recorded socket's descriptor, to be owned by the relay thread that accepts from it.
  [[nodiscard]] static Fd take(const state::ListeningSocket& socket) { return Fd(socket.fd); }

 private:
  [[nodiscard]] std::vector<state::ListeningSocket*> at(std::uint16_t listener,
                                                        const SocketAddress& asked) const;
  [[nodiscard]] Result<state::ListeningSocket*> make(std::uint16_t listener, std::uint16_t thread,
                                                     const SocketAddress& address,
                                                     const state::ListeningSocket* first);
  [[nodiscard]] state::ListeningSocket* free_entry();

  state::SharedState& shared_;
};

}  // namespace holdfast::worker
