#include "failover/run.h"

#include <algorithm>
#include <memory>

#include "cli/demo_tally.h"
#include "cli/load_thread.h"
#include "failover/private_network.h"
#include "holdfast/base/temporary_directory.h"
#include "shared/interruptible.h"

namespace holdfast::bench {
namespace {

constexpr unsigned kBackends = 3;
constexpr std::size_t kVictim = 1;

// The backends of one run and what is around them; taken down in the other order.
struct Surroundings {
  std::unique_ptr<PrivateNetwork> network;
  std::vector<std::unique_ptr<Host>> hosts;
  std::vector<BackendProcess> backends;
};

Result<Surroundings> make_surroundings(const Row& row, const std::string& holdfast) {
  Surroundings made;
  if (row.on_hosts) {
    auto network = PrivateNetwork::enter();
    if (!network) {
      return tl::unexpected(network.error());
    }
    made.network = std::move(*network);
  }
  for (unsigned number = 1; number <= kBackends; ++number) {
    if (row.on_hosts) {
      auto host = Host::make(number);
      if (!host) {
        return tl::unexpected(host.error());
      }
      made.hosts.push_back(std::move(*host));
    }
    auto backend = BackendProcess::make(holdfast, "web-" + std::to_string(number),
                                        row.on_hosts ? made.hosts.back().get() : nullptr);
    const auto started = backend ? backend->start() : tl::unexpected(backend.error());
    if (!started) {
      return tl::unexpected(started.error());
    }
    made.backends.push_back(std::move(*backend));
  }
  return made;
}

// What nobody can save without knowing the protocol: it had reached the backend.
bool was_inside(const cli::FinishedRequest& request, const Stage& stage, TimePoint event) {
  if (stage.victim.host() != nullptr) {
    return request.outcome == cli::Outcome::timed_out && request.started <= event;
  }
  return std::any_of(stage.deaths.begin(), stage.deaths.end(),
                     [&](const auto& death) { return cli::was_inside(request, death); });
}

// What is due when it is due. False when we are to end first.
Result<bool> act(const Row& row, Stage& stage, TimePoint begin, Duration end) {
  for (const auto& step : row.steps) {
    if (!wait_until(begin + step.at, stage.balancer)) {
      return false;
    }
    if (auto done = step.act(stage); !done) {
      return tl::unexpected(done.error());
    }
  }
  return wait_until(begin + end, stage.balancer);
}

}  // namespace

Result<Run> run_once(const Row& row, const Contender& contender, const Schedule& schedule,
                     const std::string& holdfast) {
  auto around = make_surroundings(row, holdfast);
  if (!around) {
    return tl::unexpected(around.error());
  }
  const auto directory = TemporaryDirectory::make().value();
  Service web{"web", {}};
  for (const auto& backend : around->backends) {
    web.backends.push_back({backend.name(), backend.address()});
  }
  auto balancer = Balancer::start(contender, {.services = {web},
                                              .directory = directory.path(),
                                              .control_socket = row.control_socket,
                                              .quick_checks = false,
                                              .replay = row.replay});
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
  Stage stage{**balancer, around->backends[kVictim], {}};
  const auto undisturbed = act(row, stage, begin, schedule.end);
  if (!undisturbed || !*undisturbed) {
    return undisturbed ? fail(kInterrupted) : tl::unexpected(undisturbed.error());
  }
  (*load)->join();
  Run run{schedule.begins, {}};
  run.requests.reserve(finished.size());
  for (const auto& request : finished) {
    run.requests.push_back({request.intended - begin, request.finished - begin, request.latency(),
                            request.outcome, was_inside(request, stage, begin + schedule.begins),
                            request.instance == stage.victim.name()});
  }
  return run;
}

}  // namespace holdfast::bench
