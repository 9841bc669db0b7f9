#pragma once

#include <optional>

#include "cli/instance_process.h"
#include "failover/host.h"

namespace holdfast::bench {

// A `holdfast instance` behind the balancers, on a loopback port or on a host of its own. Main
// thread.
class BackendProcess {
 public:
  // `program` is the holdfast binary; with `host`, which outlives this, it runs there. Nothing runs
  // until start().
  [[nodiscard]] static Result<BackendProcess> make(std::string program, std::string name,
                                                   const Host* host);

  // Returns when it listens. One that runs already is left alone.
  [[nodiscard]] Result<void> start();
  // With SIGKILL: it says goodbye to nobody.
  [[nodiscard]] cli::InstanceProcess::Death kill();
  // It takes no more requests, and keeps those it has: a SIGSTOP.
  void pause();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& address() const { return address_; }
  [[nodiscard]] const Host* host() const { return host_; }

 private:
  BackendProcess(std::string program, std::string name, const Host* host)
      : program_(std::move(program)), name_(std::move(name)), host_(host) {}

  std::string program_;
  std::string name_;
  const Host* host_;
  std::optional<cli::PortReservation> port_;  // on loopback
  std::string address_;
  std::unique_ptr<cli::ChildProcess> process_;
};

}  // namespace holdfast::bench
