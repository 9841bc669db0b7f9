#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "holdfast/loop/mailbox.h"
#include "holdfast/loop/timer.h"
#include "holdfast/pool/pool.h"
#include "worker/entries.h"
#include "worker/listening_sockets.h"
#include "worker/relay_thread.h"

namespace holdfast::worker {

// What a changed configuration has no place for any more, until nobody uses it: listening sockets,
// which are closed when their queues are empty, and entries of listeners, pools and backends, which
// are free for others when their last connection has ended. Control thread.
class Retirement {
 public:
  // `on_closing`: a listening socket is about to be closed.
  Retirement(loop::Loop& loop, state::SharedState& shared, Entries& entries,
             ListeningSockets& sockets, const std::vector<std::unique_ptr<RelayThread>>& relays,
             std::function<void(int socket)> on_closing);

  // A thread of relays holds the socket; it takes no new clients already.
  void add_socket(state::ListeningSocket& socket, RelayThread& holder);
  // It serves again.
  void take_back(const state::ListeningSocket& socket);

  // A listener without sockets, retired.
  void add_listener(std::uint16_t listener);

  // Sessions may go on with it for as long as they live.
  void add_pool(const std::shared_ptr<pool::Pool>& pool) { pools_.push_back(pool); }

  // There is something retired: looks after it from time to time.
  void begin();
  void stop();

 private:
  static constexpr Duration kInterval = std::chrono::milliseconds(200);

  struct Retiring {
    state::ListeningSocket* socket;
    RelayThread* holder;
    TimePoint since;
    bool asked = false;  // its thread is looking into the queue
  };

  void tend();
  void on_drained(int socket, bool empty);
  void on_forgotten(std::uint16_t listener);
  [[nodiscard]] bool free_entries();
  [[nodiscard]] bool is_served(std::uint16_t listener) const;

  state::SharedState& shared_;
  Entries& entries_;
  ListeningSockets& sockets_;
  const std::vector<std::unique_ptr<RelayThread>>& relays_;
  std::function<void(int)> on_closing_;
  std::vector<Retiring> retiring_;
  std::map<std::uint16_t, std::size_t> forgetting_;  // listeners, by threads that still know them
  std::set<std::uint16_t> forgotten_;                // listeners that no thread knows any more
  std::vector<std::weak_ptr<pool::Pool>> pools_;
  loop::Mailbox mailbox_;
  loop::Timer timer_;
};

}  // namespace holdfast::worker
