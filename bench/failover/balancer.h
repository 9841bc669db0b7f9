#pragma once

#include <deque>
#include <memory>
#include <string>

#include "cli/line_reader.h"
#include "cli/port_reservation.h"
#include "failover/contender.h"

namespace holdfast::bench {

// A contender that runs: a child process and a listener. Main thread.
class Balancer {
 public:
  // Returns when requests come through to every backend.
  [[nodiscard]] static Result<std::unique_ptr<Balancer>> start(
      const Contender& contender, const std::vector<Backend>& backends,
      const std::filesystem::path& directory);
  // In an orderly way: nginx's workers would outlive a master that is killed.
  ~Balancer();
  Balancer(Balancer&&) = delete;

  [[nodiscard]] const SocketAddress& address() const { return port_.address(); }
  // Reads what it has written, which would otherwise block it some day.
  void drain_messages();
  [[nodiscard]] const std::string& last_message() const { return last_message_; }

 private:
  Balancer(cli::PortReservation port, std::unique_ptr<cli::ChildProcess> process);

  cli::PortReservation port_;
  std::unique_ptr<cli::ChildProcess> process_;
  cli::LineReader messages_;
  std::string last_message_;
};

}  // namespace holdfast::bench
