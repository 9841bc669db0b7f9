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
// has failed and is gone, and this is the guardian.
void keep_watch(pid_t parent, int worker, state::SharedState& shared) {
  auto& supervision = shared.supervision;
  auto& state = supervision.upgrade.state;
  const auto take_back = [&] {
    return state.exchange(number_of(UpgradeState::trying), number_of(UpgradeState::rolled_back));
  };
  const auto until = Clock::now() + kTrialLimit;
  auto failure = UpgradeFailure::none;
  while (failure == UpgradeFailure::none) {
    if (state.get() != number_of(UpgradeState::trying)) {
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
  if (failure == UpgradeFailure::hung) {
    if (!take_back()) {
      ::_exit(0);  // it was ready in the last moment
    }
    while (::getppid() == parent) {
      ::kill(parent, SIGKILL);
      ::poll(nullptr, 0, kLookEveryMs);
    }
  }
  // A new image's worker went with it (PR_SET_PDEATHSIG), unless it serves by now.
  const auto self = static_cast<std::uint32_t>(::getpid());
  if (!supervision.guardian_pid.exchange(static_cast<std::uint32_t>(parent), self)) {
    ::_exit(0);  // the worker has seen it first, and makes another guardian
  }
  if (failure == UpgradeFailure::ended && !take_back()) {
    supervision.guardian_pid.exchange(self, static_cast<std::uint32_t>(parent));
    ::_exit(0);  // it was ready in the last moment: its worker makes another guardian
  }
  end_worker(worker);
  close_descriptors_on_execute();
  supervision.last_cause.set(static_cast<std::uint32_t>(state::DeathCause::upgrade));
  supervision.died_at.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
  service::notify_main_process(::getpid());
  roll_back(shared, failure,
            failure == UpgradeFailure::hung
                ? static_cast<std::uint32_t>(std::chrono::milliseconds(kTrialLimit).count())
                : 0);
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
  // In the table that is shared with the worker, which knows nothing of it: a successor's sweep
  // closes it if need be.
  const auto worker_fd = static_cast<int>(::syscall(SYS_pidfd_open, worker, 0));
  if (worker_fd < 0) {
    return -1;
  }
  // Before there is a keeper: one that is late mustn't touch what somebody else began by then.
  shared.supervision.upgrade.state.set(number_of(UpgradeState::trying));
  const pid_t keeper = clone_sharing_descriptors();
  if (keeper == 0) {
    ::prctl(PR_SET_NAME, "holdfast-keeper");
    keep_watch(parent, worker_fd, shared);
    ::prctl(PR_SET_NAME, "holdfast");
    return 0;
  }
  if (keeper < 0) {
    const int code = errno;
    ::close(worker_fd);
    errno = code;
  }
  return keeper;
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
