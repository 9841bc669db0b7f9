#include "shared/balancer.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <set>
#include <thread>

#include "cli/load_thread.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 10s;
constexpr auto kStopLimit = 5s;
constexpr auto kLook = 10ms;

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

Result<std::unique_ptr<Balancer>> Balancer::start(const Contender& contender, Site site) {
  std::vector<cli::PortReservation> ports;
  for (auto& service : site.services) {
    auto port = cli::PortReservation::make();
    if (!port) {
      return tl::unexpected(port.error());
    }
    service.listen = port->address().to_string();
    ports.push_back(std::move(*port));
  }
  std::unique_ptr<Balancer> balancer(new Balancer(contender, std::move(site), std::move(ports)));
  if (const auto launched = balancer->launch(); !launched) {
    return tl::unexpected(launched.error());
  }
  const auto deadline = Clock::now() + kStartLimit;
  while (!reaches_all(balancer->address(), balancer->site_.services[0].backends.size())) {
    balancer->drain_messages();
    if (Clock::now() > deadline || !balancer->still_starts()) {
      return fail(contender.name + " does not start: " + balancer->last_message());
    }
  }
  if (contender.daemonizes && balancer->site_.mode == Site::Mode::service) {
    balancer->processes_ = ProcessGroup(::getpgid(balancer->main_pid()));  // a session of its own
  }
  return balancer;
}

Balancer::Balancer(const Contender& contender, Site site, std::vector<cli::PortReservation> ports)
    : contender_(contender), site_(std::move(site)), ports_(std::move(ports)) {}

Balancer::~Balancer() {
  if (process_ == nullptr) {
    return;
  }
  const auto members = processes_.members();
  if (const auto main = main_pid(); std::count(members.begin(), members.end(), main) != 0) {
    ::kill(main, SIGTERM);
  } else {
    processes_.send_signal(SIGTERM);  // another one took its place
  }
  const auto deadline = Clock::now() + kStopLimit;
  while (!processes_.members().empty() && Clock::now() < deadline) {
    drain_messages();
    std::this_thread::sleep_for(kLook);
  }
  processes_.send_signal(SIGKILL);
}

std::filesystem::path Balancer::configuration_file() const {
  return site_.directory / (contender_.name + ".conf");
}

pid_t Balancer::main_pid() const {
  if (site_.mode == Site::Mode::service && contender_.daemonizes) {
    return read_pid_file(site_.pid_file()).value_or(0);
  }
  return process_->pid();
}

Result<void> Balancer::start_again() {
  return launch();
}

void Balancer::write_configuration(const Site& changed) {
  std::ofstream(configuration_file()) << contender_.configuration(changed);
}

void Balancer::drain_messages() {
  while (auto line = messages_->next()) {
    const bool is_error = line->find("error") != std::string::npos;
    if (is_error || last_message_.find("error") == std::string::npos) {
      last_message_ = std::move(*line);
    }
  }
}

Result<void> Balancer::launch() {
  write_configuration(site_);
  auto process = cli::ChildProcess::start(
      contender_.command(contender_.program, configuration_file(), site_.mode));
  if (!process) {
    return tl::unexpected(process.error());
  }
  process_ = std::move(*process);
  processes_ = ProcessGroup(process_->pid());
  messages_ = std::make_unique<cli::LineReader>(process_->take_errors());
  return {};
}

bool Balancer::still_starts() {
  const auto ended = process_->wait(0s);
  const bool daemonizes = site_.mode == Site::Mode::service && contender_.daemonizes;
  return !ended || (daemonizes && *ended == 0);
}

}  // namespace holdfast::bench
