#include "holdfast/worker/worker.h"

#include <algorithm>
#include <csignal>

#include "holdfast/base/fault.h"
#include "holdfast/base/memory_file.h"
#include "holdfast/config/run_time_changes.h"
#include "worker/control_thread.h"
#include "worker/crash_report.h"
#include "worker/data_plane.h"
#include "worker/descriptor_budget.h"

namespace holdfast::worker {

unsigned most_connections() {
  return static_cast<unsigned>(std::clamp<std::size_t>(raise_descriptor_limit() / 2, 1, 1'000'000));
}

namespace {

// What operators have added and removed so far.
RunTimeChanges changes_in(const state::SharedState& shared, Log& log) {
  const auto fd = shared.changes_fd.get();
  if (fd == 0) {
    return {};
  }
  auto changes = read_memory_file(static_cast<int>(fd)).and_then([](const std::string& text) {
    return parse_run_time_changes(text);
  });
  if (!changes) {
    // Connections come first: what the file says serves them too.
    log.error("changes lost", {{"reason", changes.error().message}});
    return {};
  }
  return std::move(*changes);
}

}  // namespace

class Worker::Impl {
 public:
  Impl(const WorkerOptions& options, state::Region& region, std::optional<Inheritance> inheritance,
       Log& log)
      : options_(options),
        region_(region),
        log_(log),
        in_force_(with_changes(options.config, changes_in(region.shared(), log))),
        plane_(loop_, region, std::move(inheritance), log) {}

  [[nodiscard]] Result<void> prepare() {
    Answers answers;
    if (options_.succession.takes_over) {
      // A name server that takes its time would hold up every connection. What didn't resolve
      // before is down now as it was then.
      for (const auto& [name, address] : known_addresses(config(), plane_.entries(), shared())) {
        answers.emplace(name, address);
      }
      unrecorded_ = plane_.inheritance().unrecorded.size();
    } else {
      answers = resolve_names(config());
    }
    auto staged = plane_.stage(config(), answers);
    if (!staged) {
      return tl::unexpected(staged.error());
    }
    log_.info("limits", {{"threads", staged->threads},
                         {"max_connections", staged->budget.max_connections},
                         {"pipes", staged->budget.pipes}});
    plane_.commit(*staged);
    const auto watchdog = options_.config.watchdog.count();
    shared().supervision.watchdog.set(static_cast<std::uint32_t>(watchdog));
    if (!options_.succession.takes_over) {
      shared().started_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
    }
    return {};
  }

  [[nodiscard]] bool run(const WorkerEvents& events) {
    ControlThread control(loop_, options_, in_force_, plane_, shared(), events, log_);
    {
      const std::lock_guard lock(mutex_);
      control_ = &control;
    }
    plane_.start();
    report_recovery();
    const bool ended = control.run();
    {
      const std::lock_guard lock(mutex_);
      control_ = nullptr;
      mailbox_.reset();  // whoever waits for an answer learns that there is none
    }
    if (ended) {
      plane_.close();
      log_.info("stopped");
    } else {
      plane_.halt();
    }
    return ended;
  }

  void reload(ReloadDone done) {
    const std::lock_guard lock(mutex_);
    if (control_ != nullptr) {
      mailbox_->post([this, done = std::move(done)] {
        // Run by the loop, which control_ outlives.
        control_->reload(done);
      });
    }
  }

  void change(const BackendChange& change, ChangeDone done) {
    const std::lock_guard lock(mutex_);
    if (control_ != nullptr) {
      mailbox_->post([this, change, done = std::move(done)] { control_->change(change, done); });
    }
  }

  [[nodiscard]] state::SharedState& shared() const { return region_.shared(); }
  [[nodiscard]] std::mutex& entries() { return plane_.entries().mutex(); }

 private:
  [[nodiscard]] const Config& config() const { return in_force_.config; }

  void report_recovery() {
    auto& supervision = shared().supervision;
    if (supervision.generation.get() <= 1) {
      shared().events.write(
          state::EventKind::started,
          {{"threads", shared().threads.get()}, {"listeners", options_.config.listeners.size()}});
      return;
    }
    const auto took =
        to_nanoseconds(Clock::now()) - static_cast<std::int64_t>(supervision.died_at.get());
    supervision.recovery_duration.observe(
        static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0)));
    const auto cause = static_cast<state::DeathCause>(
        std::min<std::uint32_t>(supervision.last_cause.get(), state::kDeathCauses - 1));
    shared().events.write(state::EventKind::worker_recovered,
                          {{"cause", to_string(cause)},
                           {"connections", plane_.inheritance().connections},
                           {"unrecorded", unrecorded_},
                           {"quarantined", plane_.inheritance().quarantined},
                           {"took_ms", took / 1'000'000}});
    log_.warning("worker took over", {{"cause", to_string(cause)},
                                      {"connections", plane_.inheritance().connections},
                                      {"unrecorded", unrecorded_},
                                      {"quarantined", plane_.inheritance().quarantined},
                                      {"took_ms", static_cast<double>(took) * 1e-6}});
  }

  WorkerOptions options_;
  state::Region& region_;
  Log& log_;
  ChangedConfig in_force_;
  loop::Loop loop_;
  std::optional<loop::Mailbox> mailbox_{std::in_place, loop_};
  DataPlane plane_;
  std::size_t unrecorded_ = 0;
  std::mutex mutex_;
  ControlThread* control_ = nullptr;  // guarded by mutex_; while it runs
};

Result<std::unique_ptr<Worker>> Worker::create(const WorkerOptions& options, state::Region& region,
                                               Log& log) {
  // A write to a socket whose peer is gone is an outcome, not a signal; splice(2) has no
  // MSG_NOSIGNAL (scar 10).
  std::signal(SIGPIPE, SIG_IGN);
  report_crashes(region.shared());
  HOLDFAST_FAULT_POINT(worker_starts);
  std::optional<Inheritance> inheritance;
  if (options.succession.takes_over) {
    // Before anything of this worker's own is opened, or it would be taken for the dead one's.
    ListeningSockets(region.shared()).verify();
    inheritance = take_over(region, options.succession.kept);
  }
  auto impl = std::make_unique<Impl>(options, region, std::move(inheritance), log);
  if (auto prepared = impl->prepare(); !prepared) {
    return tl::unexpected(prepared.error());
  }
  return std::unique_ptr<Worker>(new Worker(std::move(impl)));
}

Worker::Worker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Worker::~Worker() = default;

bool Worker::run(const WorkerEvents& events) {
  return impl_->run(events);
}

void Worker::reload(ReloadDone done) {
  impl_->reload(std::move(done));
}

void Worker::change(const BackendChange& change, ChangeDone done) {
  impl_->change(change, std::move(done));
}

const state::SharedState& Worker::shared() const {
  return impl_->shared();
}

std::mutex& Worker::entries() {
  return impl_->entries();
}

}  // namespace holdfast::worker
