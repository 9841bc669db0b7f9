#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

#include "holdfast/base/socket.h"
#include "holdfast/state/region.h"
#include "support/tcp.h"
#include "worker/relay_thread.h"

namespace holdfast::testing {

// One relay thread in front of given addresses, without checks: what the data path does by itself.
class TestBalancer {
 public:
  struct Options {
    std::vector<SocketAddress> backends;
    Milliseconds connect_timeout = std::chrono::seconds(5);
    unsigned attempts = 3;
    Milliseconds connect_total = std::chrono::seconds(30);
    std::optional<Milliseconds> hedge_after = Milliseconds(0);  // none
    bool is_ejecting = false;
    std::size_t replay_up_to = 0;
    unsigned places = 0;  // of each backend; 0: no limit
    unsigned queue = 0;   // of the pool; nobody waits too long
    Milliseconds idle_timeout = std::chrono::minutes(5);
    Milliseconds half_close_timeout = std::chrono::minutes(5);
    unsigned max_connections = 1000;
    std::size_t max_pipes = 100;
    unsigned listeners = 1;
    ConnectionLog connection_log = ConnectionLog::failed;
  };

  explicit TestBalancer(const Options& options);
  ~TestBalancer();

  [[nodiscard]] const SocketAddress& address(unsigned listener = 0) const {
    return addresses_[listener];
  }
  [[nodiscard]] Fd connect(unsigned listener = 0) const { return connect_to(address(listener)); }

  [[nodiscard]] const state::SharedState& shared() const { return region_.shared(); }
  [[nodiscard]] const state::ThreadState& counters() const { return shared().per_thread[0]; }
  [[nodiscard]] std::uint64_t rejected(
      state::Rejection reason = state::Rejection::no_backend) const {
    return counters().listeners[0].rejected[static_cast<std::size_t>(reason)].get();
  }
  [[nodiscard]] std::uint64_t closed(state::CloseCause cause) const;
  [[nodiscard]] std::uint64_t connect_failures(state::ConnectFailure reason) const;
  // Connections that the first backend has had.
  [[nodiscard]] std::uint64_t established() const {
    return counters().backends[0].connections.get();
  }
  [[nodiscard]] unsigned active() const { return shared().connections.get(); }
  // What was logged; only once the balancer has stopped, since its thread writes there.
  [[nodiscard]] std::string stop_and_read_log();
  void set_health(std::size_t backend, state::Health health);
  void close_backend(const relay::BackendClosing& closing);

 private:
  state::Region region_;
  std::unique_ptr<std::ostringstream> log_text_;
  std::unique_ptr<Log> log_;
  std::shared_ptr<pool::Pool> pool_;
  std::vector<SocketAddress> addresses_;
  std::unique_ptr<worker::RelayThread> thread_;
};

}  // namespace holdfast::testing
