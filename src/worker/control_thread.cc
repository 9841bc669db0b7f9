#include "worker/control_thread.h"

#include <algorithm>
#include <random>

#include "holdfast/base/fault.h"

namespace holdfast::worker {
namespace {

constexpr auto kHeartbeatInterval = std::chrono::milliseconds(500);
constexpr auto kThreadStuckAfter = std::chrono::seconds(5);
constexpr auto kStopCheckInterval = std::chrono::milliseconds(20);

}  // namespace

void Worker::block_signals() {
  loop::Signals::block({SIGTERM, SIGINT, SIGHUP, SIGUSR1});
}

ControlThread::ControlThread(loop::Loop& loop, const WorkerOptions& options,
                             const ChangedConfig& in_force, DataPlane& plane,
                             state::SharedState& shared, const WorkerEvents& events, Log& log)
    : loop_(loop),
      plane_(plane),
      shared_(shared),
      events_(events),
      log_(log),
      checker_(loop_, shared, log, std::random_device{}()),
      pool_watch_(shared, log),
      closings_(loop_, plane, shared, log),
      administration_(plane, checker_, closings_, shared, log),
      reload_(loop_, options.file, options.config, in_force, plane, checker_, shared, events, log),
      signals_(loop_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1},
               [this](int number) { on_signal(number); }),
      guardian_(loop_, events.guardian, events.on_guardian_gone),
      heartbeat_(loop_, [this] { beat(); }),
      stop_watch_(loop_, [this] { watch_stopping(); }) {
  checker_.set_limit(options.config.max_checks);
  checker_.on_transition([this] { closings_.tend(); });
  checker_.watch(plane.topology().pools);
  heartbeat_.start_every(kHeartbeatInterval);
}

bool ControlThread::run() {
  shared_.phase.set(static_cast<std::uint32_t>(state::Phase::serving));
  log_.info("ready");
  if (events_.on_serving) {
    events_.on_serving();
  }
  closings_.tend();  // a worker before this one may have been at some
  loop_.run();
  return !makes_way_;
}

void ControlThread::on_signal(int number) {
  switch (number) {
    case SIGHUP:
      reload([](const ReloadResult&) {});
      return;
    case SIGUSR1:
      makes_way_ = true;
      loop_.stop();
      return;
    default:  // SIGTERM, SIGINT: the only others that it asked for
      break;
  }
  if (shared_.current_phase() == state::Phase::serving) {
    begin_stopping();
  } else {
    log_.warning("stopping at once", {{"connections", shared_.connections.get()}});
    loop_.stop();
  }
}

void ControlThread::reload(const ReloadDone& done) {
  reload_.request([this, done](const ReloadResult& result) {
    done(result);
    closings_.tend();
  });
}

void ControlThread::change(const BackendChange& change, const ChangeDone& done) {
  switch (change.kind) {
    case BackendChange::Kind::add:
    case BackendChange::Kind::remove:
      reload_.request(change, [this, done](const ChangeResult& result) {
        done(result);
        closings_.tend();
      });
      return;
    case BackendChange::Kind::ready:
    case BackendChange::Kind::drain:
    case BackendChange::Kind::maint:
    case BackendChange::Kind::weight:
      done(administration_.change(change));
      return;
  }
}

void ControlThread::begin_stopping() {
  const Duration timeout = reload_.config().shutdown_timeout;
  shared_.phase.set(static_cast<std::uint32_t>(state::Phase::stopping));
  shared_.events.write(state::EventKind::stopping, {{"connections", shared_.connections.get()}});
  log_.info("stopping", {{"connections", shared_.connections.get()},
                         {"timeout_ms", std::chrono::ceil<Milliseconds>(timeout).count()}});
  if (events_.on_stopping) {
    events_.on_stopping();
  }
  plane_.stop_accepting();
  stop_by_ = loop_.now() + timeout;
  stop_watch_.start_every(kStopCheckInterval);
}

void ControlThread::watch_stopping() {
  const auto open = shared_.connections.get();
  if (open == 0) {
    loop_.stop();
  } else if (loop_.now() >= stop_by_) {
    log_.warning("shutdown_timeout reached", {{"connections", open}});
    loop_.stop();
  }
}

void ControlThread::beat() {
  HOLDFAST_FAULT_POINT(control_turns);
  shared_.control_heartbeat.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
  pool_watch_.look_after(plane_.topology().pools);
  closings_.tend();  // of tiers that are out of use again
  if (events_.on_alive && all_threads_turn()) {
    events_.on_alive();
  }
}

bool ControlThread::all_threads_turn() const {
  const auto now = Clock::now();
  return std::all_of(shared_.per_thread.begin(), shared_.per_thread.begin() + shared_.threads.get(),
                     [now](const auto& thread) {
                       const auto beat =
                           from_nanoseconds(static_cast<std::int64_t>(thread.heartbeat.get()));
                       return now - beat < kThreadStuckAfter;
                     });
}

}  // namespace holdfast::worker
