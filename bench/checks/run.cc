#include "checks/run.h"

#include <csignal>
#include <fstream>
#include <thread>

#include "checks/checked_backends.h"
#include "checks/cpu_time.h"
#include "cli/child_process.h"
#include "cli/port_reservation.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kStopLimit = 5s;

std::string configure(const Load& load, const std::string& listen,
                      const std::vector<std::string>& backends) {
  std::string text = "log: { level: warning }\nadmin: { http: \"off\", socket: \"off\" }\n" +
                     ("listeners: [{ name: web, bind: \"" + listen) +
                     "\", pool: web }]\npools:\n  - name: web\n    health: { type: " + load.type +
                     ", interval: " + std::to_string(load.interval.count()) +
                     "s }\n    backends:\n";
  for (std::size_t i = 0; i < backends.size(); ++i) {
    text += "      - { name: web-" + std::to_string(i) + ", address: \"" + backends[i] + "\" }\n";
  }
  return text;
}

}  // namespace

Result<Run> run_once(const std::string& holdfast, const Load& load,
                     const std::filesystem::path& directory) {
  auto backends = CheckedBackends::start(load.backends);
  const auto port = cli::PortReservation::make();
  if (!backends || !port) {
    return tl::unexpected(backends ? port.error() : backends.error());
  }
  const auto file = directory / "checks.yaml";
  std::ofstream(file) << configure(load, port->address().to_string(), (*backends)->addresses());
  auto process = cli::ChildProcess::start({.arguments = {holdfast, "run", "-c", file}});
  if (!process) {
    return tl::unexpected(process.error());
  }
  const ProcessGroup processes((*process)->pid());
  // Until every backend has been checked twice: the first checks spread over one interval.
  std::this_thread::sleep_for(2 * load.interval);
  const auto used_before = cpu_time_of(processes);
  const auto begin = Clock::now();
  std::this_thread::sleep_for(load.length);
  const auto used = cpu_time_of(processes) - used_before;
  const auto took = Clock::now() - begin;
  if (const auto ended = (*process)->wait(0s)) {
    return fail("holdfast has ended: " + cli::describe_status(*ended));
  }
  (*process)->stop(kStopLimit);

  const auto windows = static_cast<std::size_t>(load.length / load.window);
  return Run{100.0 * static_cast<double>(used.count()) / static_cast<double>(took.count()),
             count_in_windows((*backends)->stop(), begin, load.window, windows)};
}

}  // namespace holdfast::bench
