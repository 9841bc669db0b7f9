#include "failover/run.h"

#include "cli/demo_tally.h"
#include "cli/load_thread.h"
#include "shared/balancer.h"
#include "shared/interruptible.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kVictim = 1;

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
  Service web{"web", {}};
  for (const auto& backend : backends) {
    web.backends.push_back({backend.name(), backend.address()});
  }
  auto balancer = Balancer::start(contender, {.services = {web}, .directory = directory});
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
