#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/line_reader.h"
#include "cli/port_reservation.h"
#include "shared/contender.h"
#include "shared/process_group.h"

namespace holdfast::bench {

// A contender that runs: processes, and a listener for each service. Main thread.
class Balancer {
 public:
  // Returns when requests come through to every backend of the first service, all of which answer
  // HTTP. The services' addresses are filled in here.
  [[nodiscard]] static Result<std::unique_ptr<Balancer>> start(const Contender& contender,
                                                               Site site);
  // In an orderly way: nginx's workers would outlive a master that is killed. What stays is killed.
  ~Balancer();
  Balancer(Balancer&&) = delete;

  [[nodiscard]] const SocketAddress& address(std::size_t service = 0) const {
    return ports_[service].address();
  }
  [[nodiscard]] const Contender& contender() const { return contender_; }
  [[nodiscard]] const Site& site() const { return site_; }
  [[nodiscard]] std::filesystem::path configuration_file() const;

  // Of the process that keeps the others: the one that was started or, where it daemonizes, the one
  // in the pid file now.
  [[nodiscard]] pid_t main_pid() const;
  [[nodiscard]] const ProcessGroup& processes() const { return processes_; }
  // The child that was started ends; the status if it does within the limit.
  [[nodiscard]] std::optional<int> wait_for_end(Duration limit) { return process_->wait(limit); }
  // Once that has ended: as whoever supervises it would.
  [[nodiscard]] Result<void> start_again();
  // Writes its configuration for a site that has changed; what it makes of that is its own.
  void write_configuration(const Site& changed);

  // Reads what it has written, which would otherwise block it some day.
  void drain_messages();
  // The last error among it or, without any, the last line.
  [[nodiscard]] const std::string& last_message() const { return last_message_; }

 private:
  Balancer(const Contender& contender, Site site, std::vector<cli::PortReservation> ports);

  [[nodiscard]] Result<void> launch();
  // False when it has ended without serving.
  [[nodiscard]] bool still_starts();

  Contender contender_;
  Site site_;
  std::vector<cli::PortReservation> ports_;
  std::unique_ptr<cli::ChildProcess> process_;
  std::unique_ptr<cli::LineReader> messages_;
  ProcessGroup processes_{-1};  // nobody's
  std::string last_message_;
};

}  // namespace holdfast::bench
