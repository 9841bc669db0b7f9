#include "failover/run.h"

#include <csignal>
#include <mutex>

#include "cli/demo_tally.h"
#include "cli/load_thread.h"
#include "failover/balancer.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kVictim = 1;

// False when a signal asks us to end first.
[[nodiscard]] bool wait_until(TimePoint time, Balancer& balancer) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  for (auto left = time - Clock::now(); left > 0s; left = time - Clock::now()) {
    const auto slice = std::min<Duration>(left, 100ms);
    const timespec limit{0, std::chrono::nanoseconds(slice).count()};
    if (::sigtimedwait(&ending, nullptr, &limit) > 0) {
      return false;
    }
    balancer.drain_messages();
  }
  return true;
}

Run to_run(const std::vector<cli::FinishedRequest>& finished, TimePoint begin,
           const cli::InstanceProcess::Death& death) {
  Run run{death.signalled - begin, {}};
  run.requests.reserve(finished.size());
  for (const auto& request : finished) {
    run.requests.push_back({request.intended - begin, request.finished - begin, request.latency(),
                            request.outcome, cli::was_inside(request, death)});
  }
  return run;
}

}  // namespace

Result<Run> run_once(const Contender& contender, const Schedule& schedule,
                     std::vector<cli::InstanceProcess>& backends,
                     const std::filesystem::path& directory) {
  std::vector<Backend> addresses;
  for (const auto& backend : backends) {
    addresses.push_back({backend.name(), backend.address()});
  }
  auto balancer = Balancer::start(contender, addresses, directory);
  if (!balancer) {
    return tl::unexpected(balancer.error());
  }
  std::vector<cli::FinishedRequest> finished;  // written by the load thread until it is joined
  auto load = cli::LoadThread::start(
      {.target = (*balancer)->address(), .rate = schedule.rate, .duration = schedule.end},
      [&](const cli::FinishedRequest& request) { finished.push_back(request); });
  if (!load) {
    return tl::unexpected(load.error());
  }
  const auto begin = (*load)->begin();
  auto& victim = backends[kVictim];

  bool undisturbed = wait_until(begin + schedule.killed, **balancer);
  const auto death = victim.kill();
  undisturbed = undisturbed && wait_until(begin + schedule.revived, **balancer);
  if (auto revived = victim.start(); !revived) {
    return tl::unexpected(revived.error());
  }
  undisturbed = undisturbed && wait_until(begin + schedule.end, **balancer);
  if (!undisturbed) {
    return fail("interrupted");
  }
  (*load)->join();
  return to_run(finished, begin, death);
}

}  // namespace holdfast::bench
