#pragma once

#include <memory>
#include <string>

#include "cli/child_process.h"
#include "cli/port_reservation.h"

namespace holdfast::cli {

// A `holdfast instance` run as a child: it can be killed, and started again on the same port.
// Used on the main thread (see ChildProcess).
class InstanceProcess {
 public:
  // `program` is the holdfast binary. Nothing runs until start().
  [[nodiscard]] static Result<InstanceProcess> make(std::string program, std::string name);

  // Returns when it listens.
  [[nodiscard]] Result<void> start();

  struct Death {
    TimePoint signalled;
    TimePoint reaped;  // from here on it can't have taken any request
  };
  // With SIGKILL: it says goodbye to nobody.
  Death kill();

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string address() const { return port_.address().to_string(); }
  [[nodiscard]] bool is_running() const { return process_ != nullptr; }

 private:
  InstanceProcess(std::string program, std::string name, PortReservation port)
      : program_(std::move(program)), name_(std::move(name)), port_(std::move(port)) {}

  std::string program_;
  std::string name_;
  PortReservation port_;
  std::unique_ptr<ChildProcess> process_;
};

// The path that the running binary was started by; another file may have it by now.
[[nodiscard]] std::string own_program();

}  // namespace holdfast::cli
