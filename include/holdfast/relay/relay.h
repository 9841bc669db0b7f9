#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "holdfast/base/fd.h"
#include "holdfast/base/log.h"
#include "holdfast/config/config.h"
#include "holdfast/loop/loop.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::relay {

// What a changed configuration may change.
struct RelayLimits {
  unsigned max_connections = 0;  // over all threads
  std::size_t max_pipes = 0;     // of this thread
  std::size_t max_large_pipes = 4;
  // Half of them to keep what a client sends, half to send it again.
  std::size_t max_roomy_pipes = 16;
  ConnectionLog connection_log = ConnectionLog::failed;
};

struct RelayOptions {
  unsigned thread = 0;  // its index
  RelayLimits limits = {};
};

// A listener as one relay thread serves it. A value: a change is another one.
struct ListenerSettings {
  std::uint16_t index = 0;
  std::string name;
  std::shared_ptr<pool::Pool> pool;
  Duration idle_timeout{};
  Duration half_close_timeout{};
};

// A client whose connection was accepted, and that no record knows.
struct AcceptedClient {
  std::uint16_t listener = 0;
  Fd socket;
};

// Which connections of a backend are to be closed.
struct BackendClosing {
  std::uint16_t backend = 0;
  state::CloseCause cause = state::CloseCause::drained;
  double share = 1;        // of them, from 0 to 1
  std::uint64_t seed = 0;  // of the choice: a greater share with the same seed has the lesser in it
};

// The data path of one relay thread: its listening sockets, its sessions, its pipes. Made, used
// and destroyed on the loop's thread; destroying it closes every connection it still has.
class Relay {
 public:
  Relay(loop::Loop& loop, const RelayOptions& options, state::SharedState& shared,
        std::span<state::ConnectionRecord> records, Log& log);
  ~Relay();
  Relay(const Relay&) = delete;

  // From now on connections of this listener are served like this; those that are being served
  // already keep what they began with.
  void configure(const ListenerSettings& settings);

  void set_limits(const RelayLimits& limits);

  // Accepts connections of a configured listener from this socket too; a socket that it has already
  // is that listener's from now on.
  void listen(std::uint16_t listener, int socket);

  // Hands over a listening socket, open, that another relay is to have.
  [[nodiscard]] Fd release(int socket);

  // Accepts what waits in a listening socket's queue. True when nothing was left there; false also
  // for one that it hasn't got yet.
  [[nodiscard]] bool drain(int socket);
  // Closes it, after another look at its queue.
  void close(int socket);

  // This listener has no more sockets and gets no more connections; those it has run on.
  void forget(std::uint16_t listener);

  // Goes on with the connections that a worker before this one left in this thread's records, and
  // with clients that it accepted and didn't record. Their listeners are configured.
  void recover(std::vector<AcceptedClient> unrecorded);

  // Accepts what has been queued up to now, then closes the listening sockets.
  void stop_accepting();

  // Closes connections on a backend, with FIN or RST as the cause has it (docs/sessions.md).
  void close_backend(const BackendClosing& closing);

  // Closes every connection: with FIN where nothing is in flight, else with RST.
  void close_all();

 private:
  class Impl;  // keeps the data path's own headers inside relay/
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::relay
