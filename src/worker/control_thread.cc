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
  loop::Signals::block({SIGTERM, SIGINT, SIGHUP});
}

ControlThread::ControlThread(const Config& config,
                             std::span<const std::shared_ptr<pool::Pool>> pools,
                             std::span<const std::unique_ptr<RelayThread>> relays,
                             ListeningSockets& sockets, state::SharedState& shared,
                             const WorkerEvents& events, Log& log)
    : relays_(relays),
      sockets_(sockets),
      shared_(shared),
      events_(events),
      log_(log),
      shutdown_timeout_(config.shutdown_timeout),
      checker_(loop_, pools, shared, log, std::random_device{}()),
      signals_(loop_, {SIGTERM, SIGINT, SIGHUP}, [this](int number) { on_signal(number); }),
      guardian_(loop_, events.guardian, events.on_guardian_gone),
      heartbeat_(loop_, [this] { beat(); }),
      stop_watch_(loop_, [this] { watch_stopping(); }) {
  heartbeat_.start_every(kHeartbeatInterval);
}

void ControlThread::run() {
  shared_.phase.set(static_cast<std::uint32_t>(state::Phase::serving));
  log_.info("ready");
  if (events_.on_serving) {
    events_.on_serving();
  }
  loop_.run();
}

void ControlThread::on_signal(int number) {
  if (number == SIGHUP) {
    log_.warning("signal ignored",
                 {{"signal", "SIGHUP"}, {"reason", "the configuration is read at start only"}});
  } else if (shared_.current_phase() == state::Phase::serving) {
    begin_stopping();
  } else {
    log_.warning("stopping at once", {{"connections", shared_.connections.get()}});
    loop_.stop();
  }
}

void ControlThread::begin_stopping() {
  shared_.phase.set(static_cast<std::uint32_t>(state::Phase::stopping));
  log_.info("stopping",
            {{"connections", shared_.connections.get()},
             {"timeout_ms", std::chrono::ceil<Milliseconds>(shutdown_timeout_).count()}});
  if (events_.on_stopping) {
    events_.on_stopping();
  }
  // Forgotten before they are closed: their numbers will soon be somebody else's.
  for (auto* socket : sockets_.all()) {
    sockets_.forget(*socket);
  }
  for (const auto& relay : relays_) {
    relay->stop_accepting();
  }
  stop_by_ = loop_.now() + shutdown_timeout_;
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
