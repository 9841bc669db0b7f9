#include "guardian/upgrade.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "guardian/message.h"
#include "holdfast/base/clock.h"
#include "holdfast/guardian/notify.h"

namespace holdfast::guardian {
namespace {

using namespace std::chrono_literals;
using state::UpgradeFailure;
using state::UpgradeResult;
using state::UpgradeState;

// Nothing is relayed meanwhile. A new image that hangs was found out before, when it was asked to
// look at the region, unless it hangs only now.
constexpr auto kTrialLimit = 3s;
constexpr int kLookEveryMs = 2;

constexpr auto number_of(UpgradeState state) {
  return static_cast<std::uint32_t>(state);
}

void roll_back(state::SharedState& shared, UpgradeFailure failure, std::uint32_t detail) {
  auto& upgrade = shared.supervision.upgrade;
  upgrade.state.set(number_of(UpgradeState::rolled_back));
  finish(upgrade, UpgradeResult::rolled_back, failure, detail);
  const auto reason = to_string(failure);
  shared.events.write(state::EventKind::upgrade_rolled_back,
                      {{"reason", reason}, {"detail", detail}});
  say("error", "upgrade rolled back reason=\"%.*s\" detail=%u", static_cast<int>(reason.size()),
      reason.data(), detail);
}

// In the child. Returns when the new image, which is its parent, has failed and is gone.
void keep_watch(pid_t parent, state::SharedState& shared) {
  auto& upgrade = shared.supervision.upgrade;
  const auto until = Clock::now() + kTrialLimit;
  auto failure = UpgradeFailure::none;
  while (failure == UpgradeFailure::none) {
    if (upgrade.state.get() == number_of(UpgradeState::committed)) {
      ::_exit(0);
    }
    if (::getppid() != parent) {
      failure = UpgradeFailure::ended;
    } else if (Clock::now() > until) {
      failure = UpgradeFailure::hung;
    } else {
      ::poll(nullptr, 0, kLookEveryMs);
    }
  }
  if (!upgrade.state.exchange(number_of(UpgradeState::trying),
                              number_of(UpgradeState::rolled_back))) {
    ::_exit(0);  // it was ready in the last moment
  }
  // Its worker goes with it (PR_SET_PDEATHSIG), if it got that far.
  while (::getppid() == parent) {
    ::kill(parent, SIGKILL);
    ::poll(nullptr, 0, kLookEveryMs);
  }
  shared.supervision.guardian_pid.set(static_cast<std::uint32_t>(::getpid()));
  notify_main_process(::getpid());
  roll_back(shared, failure,
            failure == UpgradeFailure::hung
                ? static_cast<std::uint32_t>(std::chrono::milliseconds(kTrialLimit).count())
                : 0);
}

}  // namespace

void try_upgrade(const Image& upgraded, state::SharedState& shared) {
  auto& upgrade = shared.supervision.upgrade;
  upgrade.state.set(number_of(UpgradeState::trying));
  const pid_t parent = ::getpid();
  const pid_t keeper = ::fork();
  if (keeper == 0) {
    ::prctl(PR_SET_NAME, "holdfast-keeper");
    keep_watch(parent, shared);
    ::prctl(PR_SET_NAME, "holdfast");
    return;
  }
  int code = errno;
  if (keeper > 0) {
    code = upgraded.execute();
    ::kill(keeper, SIGKILL);
    ::waitpid(keeper, nullptr, 0);
  }
  roll_back(shared, UpgradeFailure::not_executed, static_cast<std::uint32_t>(code));
}

bool is_on_trial(const state::SharedState& shared) {
  return shared.supervision.upgrade.state.get() == number_of(UpgradeState::trying);
}

}  // namespace holdfast::guardian
