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

  // Makes sockets at `address`, so that there is one for each of `threads`; nothing that is there
  // is changed. Returns those that this call made; they listen already. On an error none is.
  [[nodiscard]] Result<std::vector<state::ListeningSocket*>> open(std::uint16_t listener,
                                                                  const SocketAddress& address,
                                                                  std::uint64_t spelling,
                                                                  unsigned threads);

  // All that are recorded, of every listener.
  [[nodiscard]] std::vector<state::ListeningSocket*> all() const;

  // Those that serve this address of this listener, whoever had the address before.
  [[nodiscard]] std::vector<state::ListeningSocket*> at(std::uint16_t listener,
                                                        const SocketAddress& asked) const;

  // No new clients from now on, only those that are in its queue or about to be.
  void retire(state::ListeningSocket& socket);
  // Takes that back, for a socket that at() finds.
  static void readmit(state::ListeningSocket& socket);

  // What a worker that died has recorded and not yet begun, or somebody else has at that number by
  // now, is put right or forgotten.
  void verify();

  // Forgets a socket that its thread is about to close, and removes a Unix socket's file with the
  // last of them, unless somebody else's is there by then (scar 42).
  void forget(state::ListeningSocket& socket);

 private:
  [[nodiscard]] Result<state::ListeningSocket*> make(std::uint16_t listener, std::uint16_t thread,
                                                     const SocketAddress& address,
                                                     const state::ListeningSocket* first);
  [[nodiscard]] Result<void> claim(const SocketAddress& address) const;
  [[nodiscard]] state::ListeningSocket* free_entry();

  state::SharedState& shared_;
};

}  // namespace holdfast::worker
