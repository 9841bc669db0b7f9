#include "cli/balancer.h"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <future>
#include <memory>
#include <utility>

#include "cli/adopt.h"
#include "cli/commands.h"
#include "cli/process.h"
#include "cli/rehearsal.h"
#include "holdfast/base/memory_file.h"
#include "holdfast/config/load.h"
#include "holdfast/observe/snapshot.h"
#include "holdfast/service/notify.h"
#include "holdfast/takeover/upgrade.h"
#include "holdfast/worker/worker.h"

namespace holdfast::cli {
namespace {

using state::UpgradeState;

constexpr pid_t kInit = 1;
constexpr std::size_t kLongestReason = 180;  // that an event has room for

int refuse(const Error& error) {
  std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
  return kFailed;
}

// "12 connections, 5 of 6 backends up": what `systemctl status` shows.
std::string status_line(const state::SharedState& shared) {
  const auto snapshot = observe::take_snapshot(shared);
  std::size_t up = 0;
  std::size_t all = 0;
  for (const auto& pool : snapshot.pools) {
    for (const auto& backend : pool.backends) {
      up += backend.is_serving() ? 1 : 0;
      all += backend.retired ? 0 : 1;
    }
  }
  return std::to_string(snapshot.connections) + " connections, " + std::to_string(up) + " of " +
         std::to_string(all) + " backends up";
}

std::vector<std::string> command_line(const std::string& file, const state::Region& region) {
  return {"holdfast", "run", "-c", file, "--take-over", std::to_string(region.fd())};
}

// What `ask` is told in the end by whoever does the work, on another thread.
template <class Answer>
std::optional<Answer> wait_for(const std::function<void(std::function<void(const Answer&)>)>& ask) {
  auto promise = std::make_shared<std::promise<Answer>>();
  auto result = promise->get_future();
  ask([promise](const Answer& done) { promise->set_value(done); });
  promise.reset();
  try {
    return result.get();
  } catch (const std::future_error&) {
    return std::nullopt;  // nobody is left who would answer
  }
}

}  // namespace

Balancer::Balancer(std::string file, std::string program, state::Region& region)
    : file_(std::move(file)),
      program_(std::move(program)),
      region_(region),
      successor_("/proc/self/exe", command_line(file_, region)),
      upgraded_(program_, command_line(file_, region)) {}

// Nothing when there is none.
Fd Balancer::watch_guardian(Log& log) {
  if (guardian_ == 0) {
    return {};
  }
  Fd watched(static_cast<int>(::syscall(SYS_pidfd_open, guardian_, 0)));
  if (::getppid() != guardian_) {
    on_guardian_gone(log);  // already; the number may be somebody else's
  }
  return watched;
}

void Balancer::on_guardian_gone(Log& log) {
  if (region_.shared().current_phase() == state::Phase::stopping) {
    return;  // it ends by itself
  }
  auto& supervision = region_.shared().supervision;
  if (!supervision.guardian_pid.exchange(static_cast<std::uint32_t>(guardian_), 0)) {
    // The keeper of an upgrade has taken the guardian's place and ends this worker; or it gives way
    // again, when it finds that the upgrade was done.
    guardian_is_missing_ = true;
    return;
  }
  const bool on_purpose = supervision.leaving.get() != 0;
  log.write(on_purpose ? LogLevel::info : LogLevel::error,
            on_purpose ? "guardian left" : "guardian died", {{"action", "starting another one"}});
  const int code = takeover::replace_guardian(successor_, region_.shared());
  log.error("guardian not replaced", {{"reason", error_text(code)}});
  supervision.guardian_pid.set(static_cast<std::uint32_t>(guardian_));
  guardian_is_missing_ = true;  // to be tried again
}

std::set<int> Balancer::kept() const {
  auto& shared = region_.shared();
  auto kept = kept_;
  kept.insert(static_cast<int>(shared.config_fd.get()));
  kept.insert(static_cast<int>(shared.changes_fd.get()));
  kept.insert(static_cast<int>(shared.lock_fd.get()));
  for (const auto& socket : shared.admin_sockets) {
    if (socket.is_used()) {
      kept.insert(socket.fd);
    }
  }
  return kept;
}

// Looks first whether the file is any good, while everything goes on; the guardian does the rest.
Result<void> Balancer::begin_upgrade(Log& log) const {
  auto& supervision = region_.shared().supervision;
  const auto guardian = static_cast<pid_t>(supervision.guardian_pid.get());
  if (guardian == 0) {
    return fail("there is no guardian that could (run --no-guardian)");
  }
  const auto version = rehearse_upgrade(program_, region_);
  if (!version) {
    finish(supervision.upgrade, state::UpgradeResult::refused);
    const auto& reason = version.error().message;
    region_.shared().events.write(state::EventKind::upgrade_refused,
                                  {{"reason", reason.substr(0, kLongestReason)}});
    log.warning("upgrade refused", {{"reason", reason}});
    return tl::unexpected(version.error());
  }
  if (::kill(guardian, SIGUSR2) != 0) {
    return fail("cannot tell the guardian", errno);
  }
  return {};
}

admin::Operations Balancer::operations(worker::Worker& worker, Log& log) const {
  return {.reload =
              [&worker] {
                return wait_for<worker::ReloadResult>(
                    [&](worker::ReloadDone done) { worker.reload(std::move(done)); });
              },
          .upgrade = [this, &log] { return begin_upgrade(log); },
          .change =
              [&worker](const worker::BackendChange& change) {
                return wait_for<worker::ChangeResult>(
                    [&](worker::ChangeDone done) { worker.change(change, std::move(done)); });
              }};
}

// Of a new image that is on trial, whether the old one has made way for good.
bool Balancer::may_serve(Log& log) {
  auto& upgrade = region_.shared().supervision.upgrade;
  constexpr auto kTrying = static_cast<std::uint32_t>(UpgradeState::trying);
  if (!takeover::is_on_trial(region_.shared())) {
    return true;
  }
  ::prctl(PR_SET_PDEATHSIG, 0);  // before: once committed, nobody else would go on
  if (!upgrade.state.exchange(kTrying, static_cast<std::uint32_t>(UpgradeState::committed))) {
    return false;
  }
  finish(upgrade, state::UpgradeResult::succeeded);
  region_.shared().events.write(state::EventKind::upgraded, {{"version", HOLDFAST_VERSION}});
  log.info("upgraded", {{"version", HOLDFAST_VERSION}, {"program", program_}});
  return true;
}

int Balancer::run(pid_t guardian) {
  guardian_ = guardian;
  auto& shared = region_.shared();
  // What is in force: a successor mustn't read a file that somebody is at.
  const auto text = read_memory_file(static_cast<int>(shared.config_fd.get()));
  if (!text) {
    return refuse(text.error());
  }
  const auto config = load_config(*text).config;  // its warnings were shown when it was new
  if (!config) {
    return kFailed;
  }
  Log log;
  log.set_level(config->log.level);
  worker::Worker::block_signals();
  if (guardian_ != 0) {
    // Ctrl-C reaches both processes; the guardian's word is what counts.
    std::signal(SIGINT, SIG_IGN);
  }
  const bool takes_over = shared.supervision.generation.get() > 1;
  auto worker = worker::Worker::create(
      {.config = *config, .file = file_, .succession = {.takes_over = takes_over, .kept = kept()}},
      region_, log);
  if (!worker) {
    return refuse(worker.error());
  }
  admin::Interface interface(shared,
                             {.shared = shared,
                              .version = HOLDFAST_VERSION,
                              .entries = (*worker)->entries(),
                              .operations = operations(**worker, log)},
                             log);
  if (auto started = interface.start(config->admin, takes_over); !started) {
    return refuse(started.error());
  }
  if (!may_serve(log)) {
    ::_exit(kFailed);  // nothing is closed: the image before this one goes on with it
  }
  const auto watched = watch_guardian(log);
  const auto tell_main_process = [&] {
    const auto pid = static_cast<pid_t>(shared.supervision.guardian_pid.get());
    // A start that was to adopt this instance may not even have been executed. Said again to
    // systemd, it changes nothing; said of a guardian that has another parent yet, it would do
    // harm (notify.h).
    if (is_started_by_systemd() && shared.supervision.ending.get() == 0 &&
        parent_of(pid) == kInit) {
      service::notify_adopted(pid);
    }
  };
  const bool ended = (*worker)->run({
      .on_serving =
          [&] {
            tell_main_process();
            service::notify_ready(status_line(shared));
          },
      .on_stopping = [&] { service::notify_stopping("stopping, " + status_line(shared)); },
      .on_alive =
          [&] {
            if (std::exchange(guardian_is_missing_, false)) {
              on_guardian_gone(log);
            }
            service::notify_watchdog();
            tell_main_process();
            service::notify_status(status_line(shared));
            interface.tend();
          },
      .on_guardian_gone = [&] { on_guardian_gone(log); },
      .on_reload = [&](const Config& changed) { return interface.change(changed.admin); },
      .guardian = watched.get(),
  });
  if (!ended) {
    // The guardian that asked for this goes on with everything, if it hasn't died since.
    if (::getppid() != guardian_) {
      on_guardian_gone(log);
    }
    ::_exit(kFine);  // nothing is closed
  }
  interface.close();
  return kFine;
}

}  // namespace holdfast::cli
