#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "holdfast/loop/loop.h"
#include "holdfast/loop/mailbox.h"
#include "worker/listening_sockets.h"
#include "worker/relay_thread.h"

namespace holdfast::worker {

// A listening socket, and who is to serve it.
struct SocketPlace {
  state::ListeningSocket* socket;
  std::uint16_t listener;
  std::uint16_t thread;
  ListenOptions options;
};

// Which relay thread has which listening socket. One that is to be another's is given back by the
// first before the second gets it, so that no client is accepted twice or by nobody. Control
// thread; the data plane's.
class SocketPlacement {
 public:
  SocketPlacement(loop::Loop& loop, ListeningSockets& sockets,
                  std::vector<std::unique_ptr<RelayThread>>& relays)
      : sockets_(sockets), relays_(relays), mailbox_(loop) {}

  // Has a thread serve a socket, now or as soon as the one that has it has given it back.
  void place(const SocketPlace& place);

  // The thread that serves a socket which has no place any more; some thread, if none did.
  [[nodiscard]] RelayThread& last_holder(const state::ListeningSocket& socket);

  // The socket is closed, its number may be another's.
  void forget(int socket) { holders_.erase(socket); }

 private:
  void on_given_back(int socket);

  ListeningSockets& sockets_;
  std::vector<std::unique_ptr<RelayThread>>& relays_;
  loop::Mailbox mailbox_;
  std::map<int, std::uint16_t> holders_;  // by socket: the thread that has it or is to have it
  std::set<int> moving_;                  // on their way from a thread to another
};

}  // namespace holdfast::worker
