#pragma once

#include <memory>
#include <string>
#include <vector>

#include "holdfast/admin/http_server.h"
#include "holdfast/config/config.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::admin {

// The two addresses that operators and their tools talk to: admin.http for reading, and the control
// socket, which only the instance's own user and root can connect to, for changing things too. Each
// has a server with a thread of its own. The listening sockets are recorded in the shared state, so
// that a worker's successor goes on with the clients that wait in their queues. Control thread.
class Interface {
 public:
  Interface(state::SharedState& shared, Subject subject, Log& log);
  ~Interface();
  Interface(const Interface&) = delete;

  // Starts what the configuration names; what a worker before this one listened on is taken over.
  // After a crash (`must_go_on`) an address that can't be had is reported and left out:
  // connections come first.
  [[nodiscard]] Result<void> start(const AdminConfig& config, bool must_go_on);

  // Serves at other addresses from now on, if the configuration says so. All or nothing.
  [[nodiscard]] Result<void> change(const AdminConfig& config);

  // Servers at addresses that were changed end some time later, since one of them may be answering
  // the very request that changed it. To be called now and then; never waits for one of them, which
  // may be waiting for this thread.
  void tend();

  // The instance ends: no successor is to find the sockets.
  void close();

 private:
  // One of the two.
  struct Door {
    state::AdminSocket which;
    std::unique_ptr<HttpServer> server = nullptr;
    std::optional<Endpoint> endpoint = std::nullopt;
  };
  // A server that has no socket in the shared state yet.
  struct Opened {
    Fd listener;
    SocketAddress asked;
    std::unique_ptr<HttpServer> server;
  };

  [[nodiscard]] state::ListeningSocket& record(const Door& door) const;
  [[nodiscard]] Result<Opened> open(const Door& door, const Endpoint& endpoint);
  [[nodiscard]] Result<std::unique_ptr<HttpServer>> serve(const Door& door, int listener,
                                                          const Endpoint& endpoint);
  [[nodiscard]] Result<void> begin(Door& door, const Endpoint& endpoint);
  void adopt(Door& door, Opened opened, const Endpoint& endpoint);
  void forget(Door& door);

  state::SharedState& shared_;
  Subject subject_;
  Log& log_;
  Door http_{.which = state::AdminSocket::http};
  Door control_{.which = state::AdminSocket::control};
  std::vector<std::pair<TimePoint, std::unique_ptr<HttpServer>>> leaving_;
};

}  // namespace holdfast::admin
