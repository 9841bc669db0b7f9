#include "holdfast/takeover/upgrade.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "holdfast/base/clock.h"
#include "holdfast/service/notify.h"
#include "holdfast/takeover/clone.h"
#include "holdfast/takeover/message.h"

namespace holdfast::takeover {
namespace {

using namespace std::chrono_literals;
using state::UpgradeFailure;
using state::UpgradeResult;
using state::UpgradeState;

// Nothing is relayed for the most part of it: the worker makes way within a second, and a new image
// that hangs was found out before, when it was asked to look at the region, unless it hangs only
// now.
constexpr auto kTrialLimit = 4s;
constexpr auto kKeeperLimit = 1s;
constexpr int kLookEveryMs = 2;

constexpr auto number_of(UpgradeState state) {
  return static_cast<std::uint32_t>(state);
}

// A worker that may have gone by itself; its number can't be somebody else's.
void end_worker(int worker) {
  ::syscall(SYS_pidfd_send_signal, worker, SIGKILL, nullptr, 0);
  pollfd gone{.fd = worker, .events = POLLIN, .revents = 0};
  while (::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
  ::close(worker);
}

// In the keeper. Returns when the guardian, which is its parent, or the new image that it executed
// has failed and is gone.
void keep_watch(pid_t parent, pid_t worker, state::SharedState& shared) {
  auto& upgrade = shared.supervision.upgrade;
  // In the table that it shares with the worker, which knows nothing of it: a successor's sweep
  // closes it if need be.
  const auto worker_fd = static_cast<int>(::syscall(SYS_pidfd_open, worker, 0));
  if (worker_fd < 0) {
    ::_exit(errno);  // its guardian does nothing without it
  }
  upgrade.state.set(number_of(UpgradeState::trying));
  const auto until = Clock::now() + kTrialLimit;
  auto failure = UpgradeFailure::none;
  while (failure == UpgradeFailure::none) {
    if (upgrade.state.get() != number_of(UpgradeState::trying)) {
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
  // A new image's worker goes with it (PR_SET_PDEATHSIG), if it got that far.
  while (::getppid() == parent) {
    ::kill(parent, SIGKILL);
    ::poll(nullptr, 0, kLookEveryMs);
  }
  auto& supervision = shared.supervision;
  if (!supervision.guardian_pid.exchange(static_cast<std::uint32_t>(parent),
                                         static_cast<std::uint32_t>(::getpid()))) {
    ::_exit(0);  // the worker has seen it first, and makes another guardian
  }
  end_worker(worker_fd);
  close_descriptors_on_execute();
  supervision.last_cause.set(static_cast<std::uint32_t>(state::DeathCause::upgrade));
  supervision.died_at.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
  service::notify_main_process(::getpid());
  roll_back(shared, failure,
            failure == UpgradeFailure::hung
                ? static_cast<std::uint32_t>(std::chrono::milliseconds(kTrialLimit).count())
                : 0);
}

// Until the keeper does, the worker mustn't go. False, with errno, when it doesn't; it is gone
// then.
bool watches(pid_t keeper, state::SharedState& shared) {
  const auto until = Clock::now() + kKeeperLimit;
  int status = 0;
  while (!is_on_trial(shared)) {
    if (::waitpid(keeper, &status, WNOHANG) == keeper) {
      errno = WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
      return false;
    }
    if (Clock::now() > until) {
      ::kill(keeper, SIGKILL);
      ::waitpid(keeper, nullptr, 0);
      errno = ETIMEDOUT;
      return false;
    }
    ::poll(nullptr, 0, kLookEveryMs);
  }
  return true;
}

}  // namespace

void roll_back(state::SharedState& shared, UpgradeFailure failure, std::uint32_t detail) {
  auto& upgrade = shared.supervision.upgrade;
  upgrade.state.set(number_of(UpgradeState::none));
  finish(upgrade, UpgradeResult::rolled_back, failure, detail);
  const auto reason = to_string(failure);
  shared.events.write(state::EventKind::upgrade_rolled_back,
                      {{"reason", reason}, {"detail", detail}});
  say("error", "upgrade rolled back reason=\"%.*s\" detail=%u", static_cast<int>(reason.size()),
      reason.data(), detail);
}

pid_t make_keeper(pid_t worker, state::SharedState& shared) {
  const pid_t parent = ::getpid();
  const pid_t keeper = clone_sharing_descriptors();
  if (keeper == 0) {
    ::prctl(PR_SET_NAME, "holdfast-keeper");
    keep_watch(parent, worker, shared);
    ::prctl(PR_SET_NAME, "holdfast");
    return 0;
  }
  return keeper < 0 || watches(keeper, shared) ? keeper : -1;
}

void dismiss_keeper(state::SharedState& shared) {
  shared.supervision.upgrade.state.set(number_of(UpgradeState::none));
}

void execute_upgrade(pid_t keeper, const Image& upgraded, state::SharedState& shared) {
  const int code = upgraded.execute();
  dismiss_keeper(shared);
  ::waitpid(keeper, nullptr, 0);
  close_descriptors_on_execute();
  roll_back(shared, UpgradeFailure::not_executed, static_cast<std::uint32_t>(code));
}

bool is_on_trial(const state::SharedState& shared) {
  const auto state = shared.supervision.upgrade.state.get();
  return state == number_of(UpgradeState::trying) || state == number_of(UpgradeState::rolled_back);
}

}  // namespace holdfast::takeover
