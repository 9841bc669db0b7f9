#include "holdfast/guardian/guardian.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/takeover/clone.h"
#include "holdfast/takeover/message.h"
#include "holdfast/takeover/oom_score.h"
#include "holdfast/takeover/upgrade.h"

namespace holdfast::guardian {
namespace {

using namespace std::chrono_literals;
using state::DeathCause;
using state::Phase;
using takeover::say;

// A worker that is to make way for an upgrade is at a safe point by then; it is safe anywhere.
constexpr Duration kMakeWayLimit = 1s;
constexpr Duration kLongestWait = 1s;
constexpr Duration kWaitWhileSomethingEnds = 100ms;

constexpr long long to_milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

// Blocks what is to be read from a signalfd(2). None of them may be ignored, as a worker that
// became a guardian has done: what is ignored is never read.
sigset_t block_own_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGCHLD}) {
    sigaddset(&set, number);
    std::signal(number, SIG_DFL);
  }
  ::sigprocmask(SIG_BLOCK, &set, nullptr);
  return set;
}

}  // namespace

Result<Guardian> Guardian::create(const Options& options, state::SharedState& shared,
                                  WorkerProgram& program) {
  const auto set = block_own_signals();
  Fd signals(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!signals.is_open()) {
    return fail("cannot receive signals", errno);
  }
  return Guardian(options, shared, program, std::move(signals));
}

Guardian::Guardian(const Options& options, state::SharedState& shared, WorkerProgram& program,
                   Fd signals)
    : options_(options),
      shared_(shared),
      program_(program),
      signals_(std::move(signals)),
      watchdog_(shared),
      has_served_(options.takes_over) {}

int Guardian::run() {
  shared_.supervision.guardian_pid.set(static_cast<std::uint32_t>(::getpid()));
  if (options_.takes_over) {
    takeover::set_guardian_oom_score(shared_);  // it may have come from a worker
  } else {
    takeover::note_oom_score(shared_);
  }
  // Who ended before this image could hear of it, as the keeper of an upgrade may have.
  on_child_ended();
  start_worker();
  while (exit_code_ < 0) {
    pollfd waiting{.fd = signals_.get(), .events = POLLIN, .revents = 0};
    ::poll(&waiting, 1, wait_milliseconds());
    take_signals();
    if (exit_code_ >= 0) {
      break;
    }
    if (worker_ < 0 && Clock::now() >= start_at_) {
      start_worker();
    }
    do_what_is_wanted();
    watch_over();
  }
  return exit_code_;
}

void Guardian::start_worker() {
  auto& supervision = shared_.supervision;
  supervision.generation.increment();
  const auto now = Clock::now();
  watchdog_.begin(now);
  shared_.phase.set(static_cast<std::uint32_t>(Phase::starting));
  const pid_t guardian = ::getpid();
  const bool on_trial = takeover::is_on_trial(shared_);
  const pid_t child = takeover::clone_sharing_descriptors();
  if (child == 0) {
    HOLDFAST_FAULT_POINT(worker_cloned);
    ::prctl(PR_SET_NAME, "holdfast-worker");
    takeover::set_worker_oom_score(shared_);
    if (on_trial) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != guardian) {
        ::_exit(1);  // it died before that, and its keeper goes on
      }
    }
    ::_exit(program_.run(guardian));
  }
  if (child < 0) {
    say("error", "worker not started reason=\"errno %d\"", errno);
    start_at_ = now + backoff_.after_life_of(Duration::zero());
    return;
  }
  worker_ = child;
  started_ = now;
  supervision.worker_pid.set(static_cast<std::uint32_t>(child));
  if (ending_) {
    ::kill(worker_, SIGTERM);  // waits, blocked, until the worker asks for it
  }
}

void Guardian::take_signals() {
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
    switch (static_cast<int>(info.ssi_signo)) {
      case SIGCHLD:
        on_child_ended();
        break;
      case SIGHUP:
        if (worker_ > 0) {
          ::kill(worker_, SIGHUP);
        }
        break;
      case SIGUSR1:
        leave_wanted_ = true;
        break;
      case SIGUSR2:
        upgrade_wanted_ = true;
        break;
      default:  // SIGTERM, SIGINT: the only others that it asked for
        on_asked_to_end();
        break;
    }
  }
}

// Both need a worker that serves; until there is one they wait.
void Guardian::do_what_is_wanted() {
  if (worker_ < 0 || ending_ || watchdog_.found_it_hung() || worker_makes_way_ ||
      shared_.current_phase() != Phase::serving) {
    return;
  }
  if (leave_wanted_) {
    say("info", "guardian leaves reason=\"the next start takes over\" worker=%d", worker_);
    shared_.supervision.leaving.set(1);
    ::_exit(0);  // a destructor would close what the worker goes on with
  } else if (upgrade_wanted_) {
    upgrade_wanted_ = false;
    begin_upgrade();
  }
}

void Guardian::begin_upgrade() {
  keeper_ = takeover::make_keeper(worker_, shared_);
  if (keeper_ == 0) {
    // This is the keeper, and the guardian now.
    worker_ = -1;
    go_on_as_before();
  } else if (keeper_ < 0) {
    takeover::roll_back(shared_, state::UpgradeFailure::not_executed,
                        static_cast<std::uint32_t>(errno));
  } else {
    worker_makes_way_ = true;
    make_way_by_ = Clock::now() + kMakeWayLimit;
    ::kill(worker_, SIGUSR1);
  }
}

void Guardian::go_on_as_before() {
  ending_ = shared_.supervision.ending.get() != 0;  // the new image may have been asked to end
  start_at_ = Clock::now();
}

// The worker is gone, all its connections are in the kernel and the region.
void Guardian::upgrade() {
  auto& supervision = shared_.supervision;
  supervision.last_cause.set(static_cast<std::uint32_t>(DeathCause::upgrade));
  supervision.died_at.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
  supervision.restarts[static_cast<std::size_t>(DeathCause::upgrade)].add(1);
  takeover::execute_upgrade(keeper_, options_.upgraded, shared_);
  go_on_as_before();
}

void Guardian::on_asked_to_end() {
  if (leave_wanted_ && !ending_) {
    return;  // what systemd says after SIGUSR1, as soon as the worker can be left
  }
  const bool again = std::exchange(ending_, true);
  shared_.supervision.ending.set(1);
  if (worker_ > 0) {
    ::kill(worker_, SIGTERM);
  } else if (again) {
    exit_code_ = 1;
  }
  // Else the worker that is due will end it in order: there are connections and files to see to.
}

void Guardian::on_child_ended() {
  for (;;) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, WNOHANG);
    if (ended <= 0) {
      return;
    }
    if (ended == worker_) {
      on_worker_ended(status);
    }
  }
}

void Guardian::on_worker_ended(int status) {
  const auto now = Clock::now();
  worker_ = -1;
  if (std::exchange(worker_makes_way_, false)) {
    if (ending_) {
      takeover::dismiss_keeper(shared_);
      start_at_ = now;  // it has left all connections to a successor, which ends them in order
    } else {
      upgrade();
    }
    return;
  }
  if (takeover::is_on_trial(shared_)) {
    exit_code_ = 1;  // the image before this one takes over again
    return;
  }
  has_served_ = has_served_ || shared_.current_phase() != Phase::starting;
  if (WIFEXITED(status) && (ending_ || !has_served_)) {
    exit_code_ = WEXITSTATUS(status);
    return;
  }
  if (ending_ && shared_.connections.get() == 0) {
    exit_code_ = 1;
    return;
  }
  auto& supervision = shared_.supervision;
  const auto cause = classify(status);
  supervision.last_cause.set(static_cast<std::uint32_t>(cause));
  supervision.died_at.set(static_cast<std::uint64_t>(to_nanoseconds(now)));
  supervision.restarts[static_cast<std::size_t>(cause)].add(1);
  const auto pause = backoff_.after_life_of(now - started_);
  start_at_ = now + pause;
  shared_.events.write(state::EventKind::worker_died,
                       {{"cause", to_string(cause)},
                        {WIFSIGNALED(status) ? "signal" : "exit_code",
                         WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status)},
                        {"lived_ms", to_milliseconds(now - started_)},
                        {"connections", shared_.connections.get()}});
  say("error", "worker died cause=%.*s %s=%d lived_ms=%lld connections=%u restart_in_ms=%lld",
      static_cast<int>(to_string(cause).size()), to_string(cause).data(),
      WIFSIGNALED(status) ? "signal" : "exit_code",
      WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), to_milliseconds(now - started_),
      shared_.connections.get(), to_milliseconds(pause));
}

DeathCause Guardian::classify(int status) const {
  if (watchdog_.found_it_hung()) {
    return DeathCause::hung;
  }
  if (WIFEXITED(status)) {
    return DeathCause::exited;
  }
  return WTERMSIG(status) == SIGKILL ? DeathCause::killed : DeathCause::crashed;
}

void Guardian::watch_over() {
  const auto now = Clock::now();
  if (worker_ < 0) {
    return;
  }
  if (worker_makes_way_) {
    if (now > make_way_by_) {
      ::kill(worker_, SIGKILL);
    }
    return;
  }
  switch (watchdog_.look(now)) {
    case Watchdog::Verdict::alive:
      break;
    case Watchdog::Verdict::hangs:
      end_hung_worker();
      break;
    case Watchdog::Verdict::wasted:
      ::kill(worker_, SIGKILL);
      break;
  }
}

// It is the thread which hangs that is to write its stack. Its number can't be that of another
// process's thread, whatever was written there: tgkill(2) takes those of the worker alone.
void Guardian::end_hung_worker() {
  const auto limit = to_milliseconds(watchdog_.limit());
  const auto index = watchdog_.hung_thread();
  char thread[20] = "control";
  auto tid = worker_;
  if (index != state::kNoThread) {
    std::snprintf(thread, sizeof thread, "relay-%u", index);
    tid = static_cast<pid_t>(shared_.per_thread[index].tid.get());
  }
  say("error", "worker hangs thread=%s watchdog_ms=%lld", thread, limit);
  shared_.events.write(state::EventKind::worker_hung, {{"thread", thread}, {"watchdog_ms", limit}});
  if (::syscall(SYS_tgkill, worker_, tid, SIGABRT) != 0) {
    ::kill(worker_, SIGABRT);
  }
}

int Guardian::wait_milliseconds() const {
  // The watchdog may change at any time.
  Duration wait = kLongestWait;
  if (const auto limit = watchdog_.limit(); limit != Duration::zero()) {
    wait = std::min(wait, limit / 8);
  }
  if (watchdog_.found_it_hung() || worker_makes_way_ || leave_wanted_ || upgrade_wanted_) {
    wait = kWaitWhileSomethingEnds;
  }
  if (worker_ < 0) {
    wait = std::clamp(start_at_ - Clock::now(), Duration::zero(), wait);
  }
  return static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(wait).count());
}

}  // namespace holdfast::guardian
