#include "failover/backend_process.h"

#include "cli/line_reader.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 5s;

}  // namespace

Result<BackendProcess> BackendProcess::make(std::string program, std::string name,
                                            const Host* host) {
  BackendProcess backend(std::move(program), std::move(name), host);
  if (host != nullptr) {
    backend.address_ = host->address() + ":8080";
    return backend;
  }
  auto port = cli::PortReservation::make();
  if (!port) {
    return tl::unexpected(port.error());
  }
  backend.address_ = port->address().to_string();
  backend.port_ = std::move(*port);
  return backend;
}

Result<void> BackendProcess::start() {
  if (process_ != nullptr) {
    return {};
  }
  auto arguments = host_ != nullptr ? host_->before() : std::vector<std::string>();
  arguments.insert(arguments.end(), {program_, "instance", "--listen", address_, "--name", name_});
  auto started = cli::ChildProcess::start(
      {.arguments = std::move(arguments), .output = cli::ChildProcess::Stream::piped});
  if (!started) {
    return tl::unexpected(started.error());
  }
  process_ = std::move(*started);
  if (cli::LineReader output(process_->take_output()); !output.wait(kStartLimit)) {
    process_.reset();
    return fail("cannot start " + name_);
  }
  return {};
}

cli::InstanceProcess::Death BackendProcess::kill() {
  cli::InstanceProcess::Death death{Clock::now(), {}};
  process_->send_signal(SIGKILL);
  process_.reset();
  death.reaped = Clock::now();
  return death;
}

void BackendProcess::pause() {
  process_->send_signal(SIGSTOP);
}

}  // namespace holdfast::bench
