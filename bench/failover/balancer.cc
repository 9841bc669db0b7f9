#include "failover/balancer.h"

#include <cstdio>
#include <fstream>
#include <set>

#include "cli/load_thread.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 10s;
constexpr auto kStopLimit = 5s;

// A few requests: whether all are answered, and each backend has answered some.
bool reaches_all(const SocketAddress& address, std::size_t backends) {
  std::set<std::string> reached;
  bool all_answered = true;
  auto load = cli::LoadThread::start({.target = address, .rate = 200, .duration = 100ms},
                                     [&](const cli::FinishedRequest& request) {
                                       reached.insert(request.instance);
                                       all_answered &= request.outcome == cli::Outcome::answered;
                                     });
  if (!load) {
    return false;
  }
  (*load)->join();
  return all_answered && reached.size() == backends;
}

}  // namespace

Result<std::unique_ptr<Balancer>> Balancer::start(const Contender& contender,
                                                  const std::vector<Backend>& backends,
                                                  const std::filesystem::path& directory) {
  auto port = cli::PortReservation::make();
  if (!port) {
    return tl::unexpected(port.error());
  }
  const auto file = directory / (contender.name + ".conf");
  std::ofstream(file) << contender.configuration(port->address().to_string(), backends, directory);
  auto process = cli::ChildProcess::start(contender.command(contender.program, file));
  if (!process) {
    return tl::unexpected(process.error());
  }
  std::unique_ptr<Balancer> balancer(new Balancer(std::move(*port), std::move(*process)));
  const auto deadline = Clock::now() + kStartLimit;
  while (!reaches_all(balancer->address(), backends.size())) {
    balancer->drain_messages();
    if (Clock::now() > deadline || balancer->process_->wait(0s)) {
      return fail(contender.name + " does not start: " + balancer->last_message());
    }
  }
  return balancer;
}

Balancer::Balancer(cli::PortReservation port, std::unique_ptr<cli::ChildProcess> process)
    : port_(std::move(port)), process_(std::move(process)), messages_(process_->take_errors()) {}

Balancer::~Balancer() {
  process_->stop(kStopLimit);
}

void Balancer::drain_messages() {
  while (auto line = messages_.next()) {
    last_message_ = std::move(*line);
  }
}

}  // namespace holdfast::bench
