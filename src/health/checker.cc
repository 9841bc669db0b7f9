#include "holdfast/health/checker.h"

#include <map>
#include <optional>
#include <utility>

#include "health/agent_effect.h"
#include "health/check_plan.h"
#include "health/check_queue.h"
#include "health/probe.h"
#include "health/schedule.h"
#include "holdfast/pool/health.h"

namespace holdfast::health {
namespace {

constexpr auto kInconclusiveLogInterval = std::chrono::minutes(1);
constexpr auto kEjectedLookInterval = std::chrono::milliseconds(100);

bool is_in_maintenance(const state::BackendEntry& entry) {
  return entry.admin.current_state() == state::AdminState::maint;
}

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

  void set_limit(std::size_t limit) {
    queue_.set_limit(limit);
    begin_waiting();
  }

  void watch(std::span<const std::shared_ptr<pool::Pool>> pools) {
    auto before = std::exchange(targets_, {});
    TlsContexts contexts;  // anew, since the files that are trusted may have changed
    for (const auto& pool : pools) {
      if (pool->config().health.type != CheckType::none) {
        watch(pool, before, contexts);
      }
    }
    for (const auto& [backend, target] : before) {
      queue_.end(backend);
    }
    before.clear();
    begin_waiting();
  }

  void on_transition(std::function<void()> callback) { on_transition_ = std::move(callback); }

 private:
  // A backend under watch: its next check, or the one that runs.
  struct Target {
    Target(loop::Loop& loop, std::shared_ptr<pool::Pool> its_pool, const pool::Backend& its_backend,
           std::shared_ptr<const CheckPlan> its_plan, std::function<void(Target&)> on_due)
        : pool(std::move(its_pool)),
          backend(its_backend),
          plan(std::move(its_plan)),
          timer(loop, [this, on_due = std::move(on_due)] { on_due(*this); }) {}

    void check_after(Duration wait) {
      due = Clock::now() + wait;
      timer.start_once(wait);
    }

    std::shared_ptr<pool::Pool> pool;
    pool::Backend backend;
    std::shared_ptr<const CheckPlan> plan;
    TimePoint due;
    loop::Timer timer;
    std::optional<Probe> probe;
    bool is_being_probed_anew = false;  // because its ejection is over
  };
  using Targets = std::map<std::uint16_t, std::unique_ptr<Target>>;  // by the backend's index

  void watch(const std::shared_ptr<pool::Pool>& pool, Targets& before, TlsContexts& contexts) {
    std::vector<Target*> fresh;
    const auto backends = pool->backends();
    for (std::size_t place = 0; place < backends.size(); ++place) {
      const auto& backend = backends[place];
      if (!can_be_checked(backend) || is_in_maintenance(pool->entry(backend))) {
        continue;
      }
      auto plan = make_plan(pool->config(), backend, place, contexts);
      auto& target = targets_[backend.index];
      auto known = before.extract(backend.index);
      if (!known.empty() && known.mapped()->backend.address == backend.address &&
          known.mapped()->plan->address == plan->address) {
        target = std::move(known.mapped());
        go_on(*target, pool, std::move(plan));
      } else {
        queue_.end(backend.index);
        target = std::make_unique<Target>(loop_, pool, backend, std::move(plan),
                                          [this](Target& due) { on_due(due); });
        fresh.push_back(target.get());
      }
    }
    for (std::size_t place = 0; place < fresh.size(); ++place) {
      auto& target = *fresh[place];
      target.check_after(first_check_after(interval_of(target), random_, place, fresh.size()));
    }
  }

  // Whether there is somebody to ask, and somebody that the answer would be about.
  static bool can_be_checked(const pool::Backend& backend) {
    return backend.address && (!backend.check_address || backend.check_address->size() != 0);
  }

  static Duration interval_of(const Target& target) {
    return interval_for(target.pool->entry(target.backend).health, target.pool->config().health);
  }

  // Whoever has been ejected for long enough is checked at once, and at its interval from then on.
  void look_at_ejected() {
    for (const auto& [index, target] : targets_) {
      const bool is_due = target->pool->is_check_due(index, Clock::now());
      if (is_due && !std::exchange(target->is_being_probed_anew, true)) {
        target->check_after(Duration::zero());
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

  void go_on(Target& target, const std::shared_ptr<pool::Pool>& pool,
             std::shared_ptr<const CheckPlan> plan) {
    const auto before = interval_of(target);
    target.pool = pool;
    target.plan = std::move(plan);
    const auto now = interval_of(target);
    if (now < before && target.timer.is_running()) {
      target.check_after(first_check_after(now, random_));
    }
  }

  void on_due(Target& target) {
    const auto wait = make_up_after(target.due, loop_.now(), interval_of(target), random_);
    if (wait > Duration::zero()) {
      target.check_after(wait);
    } else if (queue_.begin(target.backend.index)) {
      check(target);
    }
  }

  void begin_waiting() {
    while (const auto backend = queue_.next()) {
      check(*targets_.at(*backend));
    }
  }

  // A probe that is still closing makes way for the next one.
  void check(Target& target) {
    target.probe.emplace(loop_, target.plan, [this, &target](const ProbeResult& result) {
      queue_.end(target.backend.index);
      settle(target, result);
      begin_waiting();
    });
  }

  void settle(Target& target, const ProbeResult& result) {
    judge(target, result);
    target.check_after(next_check_after(interval_of(target), random_));
  }

  void judge(Target& target, const ProbeResult& result) {
    if (result.verdict == ProbeResult::Verdict::inconclusive) {
      log_inconclusive(target, result);
      return;
    }
    auto& entry = target.pool->entry(target.backend);
    const bool passed = result.verdict == ProbeResult::Verdict::passed;
    (passed ? entry.checks_passed : entry.checks_failed).add(1);
    shared_.pools[target.pool->index()].health_check_duration.observe(
        static_cast<std::uint64_t>(result.took.count()));
    if (result.agent) {
      heed(target, *result.agent);
    }
    const auto before = entry.health.state;
    if (const auto next =
            pool::advance_health(entry.health, passed, target.pool->config().health)) {
      publish(target, before, *next, result);
    }
    if (passed) {
      readmit(target);
    }
  }

  void heed(const Target& target, const AgentReport& report) {
    auto& entry = target.pool->entry(target.backend);
    if (target.pool->config().health.type != CheckType::agent) {
      return;  // nobody would take back what is said now: it isn't asked any more
    }
    if (entry.agent.current_state() == state::AgentState::maint &&
        report.wish == state::AgentState::ready) {
      note_return(entry);
    }
    if (apply_report(report, entry.agent)) {
      target.pool->serve_waiting();
      say_what_the_agent_wants(target, report);
    }
  }

  void say_what_the_agent_wants(const Target& target, const AgentReport& report) {
    const auto& agent = target.pool->entry(target.backend).agent;
    const auto state = state::to_string(agent.current_state());
    const auto weight = std::to_string(agent.percent()) + "%";
    shared_.events.write(state::EventKind::agent_changed, {{"pool", target.pool->name()},
                                                           {"backend", target.backend.name},
                                                           {"state", state},
                                                           {"weight", weight},
                                                           {"reason", report.reason}});
    log_.info("agent changed", {{"pool", target.pool->name()},
                                {"backend", target.backend.name},
                                {"state", state},
                                {"weight", weight},
                                {"reason", report.reason}});
  }

  // Before anybody can pick it: slow_start counts from here.
  void note_return(state::BackendEntry& entry) {
    entry.came_back_at.set(static_cast<std::uint64_t>(to_nanoseconds(loop_.now())));
  }

  void publish(Target& target, state::Health before, state::Health next,
               const ProbeResult& result) {
    auto& entry = target.pool->entry(target.backend);
    if (before == state::Health::down) {
      note_return(entry);
    }
    entry.published_health.set(static_cast<std::uint32_t>(next));
    target.pool->serve_waiting();
    entry.transitions[static_cast<std::size_t>(next)].add(1);
    entry.changed_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
    const bool down = next == state::Health::down;
    if (down) {
      target.pool->report_down(target.backend.index, Clock::now());
    }
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
    if (on_transition_) {
      on_transition_();
    }
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
  std::function<void()> on_transition_;
  loop::Timer ejected_timer_;
  CheckQueue queue_{Config().max_checks};
  Targets targets_;
};

Checker::Checker(loop::Loop& loop, state::SharedState& shared, Log& log, unsigned seed)
    : impl_(std::make_unique<Impl>(loop, shared, log, seed)) {}

Checker::~Checker() = default;

void Checker::set_limit(std::size_t limit) {
  impl_->set_limit(limit);
}

void Checker::on_transition(std::function<void()> callback) {
  impl_->on_transition(std::move(callback));
}

void Checker::watch(std::span<const std::shared_ptr<pool::Pool>> pools) {
  impl_->watch(pools);
}

}  // namespace holdfast::health
