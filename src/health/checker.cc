#include "holdfast/health/checker.h"

#include <map>
#include <optional>
#include <utility>

#include "health/probe.h"
#include "health/schedule.h"
#include "holdfast/pool/health.h"

namespace holdfast::health {
namespace {

constexpr auto kInconclusiveLogInterval = std::chrono::minutes(1);
constexpr auto kEjectedLookInterval = std::chrono::milliseconds(100);

}  // namespace

class Checker::Impl {
 public:
  Impl(loop::Loop& loop, state::SharedState& shared, Log& log, unsigned seed)
      : loop_(loop),
        shared_(shared),
        log_(log),
        random_(seed),
        inconclusive_log_limit_(kInconclusiveLogInterval),
        ejected_timer_(loop, [this] { look_at_ejected(); }) {
    ejected_timer_.start_every(kEjectedLookInterval);
  }

  void watch(std::span<const std::shared_ptr<pool::Pool>> pools) {
    auto before = std::exchange(targets_, {});
    for (const auto& pool : pools) {
      if (pool->config().health.type == CheckType::none) {
        continue;
      }
      for (const auto& backend : pool->backends()) {
        if (backend.address) {
          auto known = before.extract(backend.index);
          if (!known.empty() && known.mapped()->backend.address == backend.address) {
            go_on(*known.mapped(), pool);
            targets_.insert(std::move(known));
          } else {
            begin(pool, backend);
          }
        }
      }
    }
  }

 private:
  // A backend under watch: its next check, or the one that runs.
  struct Target {
    Target(loop::Loop& loop, std::shared_ptr<pool::Pool> its_pool, const pool::Backend& its_backend,
           std::function<void(Target&)> check)
        : pool(std::move(its_pool)),
          backend(its_backend),
          timer(loop, [this, check = std::move(check)] { check(*this); }) {}

    std::shared_ptr<pool::Pool> pool;
    pool::Backend backend;
    loop::Timer timer;
    std::optional<Probe> probe;
    bool is_being_probed_anew = false;  // because its ejection is over
  };

  // Whoever has been ejected for long enough is checked at once, and at its interval from then on.
  void look_at_ejected() {
    for (const auto& [index, target] : targets_) {
      const bool is_due = target->pool->is_check_due(index, Clock::now());
      if (is_due && !std::exchange(target->is_being_probed_anew, true)) {
        target->timer.start_once(Duration::zero());
      } else if (!is_due) {
        target->is_being_probed_anew = false;
      }
    }
  }

  void readmit(const Target& target) {
    if (!target.pool->report_check_passed(target.backend.index, Clock::now())) {
      return;
    }
    constexpr auto kReason = "check passed";
    shared_.events.write(
        state::EventKind::backend_readmitted,
        {{"pool", target.pool->name()}, {"backend", target.backend.name}, {"reason", kReason}});
    log_.info("backend readmitted", {{"pool", target.pool->name()},
                                     {"backend", target.backend.name},
                                     {"reason", kReason},
                                     {"up", std::to_string(target.pool->serving()) + "/" +
                                                std::to_string(target.pool->backends().size())}});
  }

  void begin(const std::shared_ptr<pool::Pool>& pool, const pool::Backend& backend) {
    auto& target = targets_[backend.index];
    target = std::make_unique<Target>(loop_, pool, backend, [this](Target& due) { check(due); });
    target->timer.start_once(first_check_after(pool->config().health.interval, random_));
  }

  void go_on(Target& target, const std::shared_ptr<pool::Pool>& pool) {
    const bool sooner = pool->config().health.interval < target.pool->config().health.interval;
    target.pool = pool;
    if (sooner && target.timer.is_running()) {
      target.timer.start_once(first_check_after(pool->config().health.interval, random_));
    }
  }

  // A probe that is still closing makes way for the next one.
  void check(Target& target) {
    target.probe.emplace(loop_, *target.backend.address, target.pool->config().health.timeout,
                         [this, &target](const ProbeResult& result) { settle(target, result); });
  }

  void settle(Target& target, const ProbeResult& result) {
    const auto& config = target.pool->config().health;
    target.timer.start_once(next_check_after(config.interval, random_));
    if (result.verdict == ProbeResult::Verdict::inconclusive) {
      log_inconclusive(target, result);
      return;
    }
    auto& entry = target.pool->entry(target.backend);
    const bool passed = result.verdict == ProbeResult::Verdict::passed;
    (passed ? entry.checks_passed : entry.checks_failed).add(1);
    shared_.pools[target.pool->index()].health_check_duration.observe(
        static_cast<std::uint64_t>(result.took.count()));
    const auto before = entry.health.state;
    if (const auto next = pool::advance_health(entry.health, passed, config)) {
      publish(target, before, *next, result);
    }
    if (passed) {
      readmit(target);
    }
  }

  void publish(Target& target, state::Health before, state::Health next,
               const ProbeResult& result) {
    auto& entry = target.pool->entry(target.backend);
    entry.published_health.set(static_cast<std::uint32_t>(next));
    entry.transitions[static_cast<std::size_t>(next)].add(1);
    entry.changed_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
    const bool down = next == state::Health::down;
    const auto reason = down                               ? result.reason
                        : before == state::Health::unknown ? "first check passed"
                                                           : "checks passed";
    shared_.events.write(
        down ? state::EventKind::backend_down : state::EventKind::backend_up,
        {{"pool", target.pool->name()}, {"backend", target.backend.name}, {"reason", reason}});
    log_.write(down ? LogLevel::warning : LogLevel::info, down ? "backend down" : "backend up",
               {{"pool", target.pool->name()},
                {"backend", target.backend.name},
                {"reason", reason},
                {"check_ms", std::chrono::duration<double, std::milli>(result.took).count()},
                {"up", std::to_string(target.pool->serving()) + "/" +
                           std::to_string(target.pool->backends().size())}});
  }

  void log_inconclusive(const Target& target, const ProbeResult& result) {
    std::uint64_t suppressed = 0;
    if (inconclusive_log_limit_.allow(loop_.now(), suppressed)) {
      log_.warning("check inconclusive", {{"pool", target.pool->name()},
                                          {"backend", target.backend.name},
                                          {"reason", result.reason},
                                          {"suppressed", suppressed}});
    }
  }

  loop::Loop& loop_;
  state::SharedState& shared_;
  Log& log_;
  Random random_;
  LogLimit inconclusive_log_limit_;
  loop::Timer ejected_timer_;
  std::map<std::uint16_t, std::unique_ptr<Target>> targets_;  // by the backend's index
};

Checker::Checker(loop::Loop& loop, state::SharedState& shared, Log& log, unsigned seed)
    : impl_(std::make_unique<Impl>(loop, shared, log, seed)) {}

Checker::~Checker() = default;

void Checker::watch(std::span<const std::shared_ptr<pool::Pool>> pools) {
  impl_->watch(pools);
}

}  // namespace holdfast::health
