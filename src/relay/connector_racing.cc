// How a connector races: when a connect is late, and what becomes of the one that is overtaken.

#include <utility>

#include "holdfast/base/fault.h"
#include "relay/backend_report.h"
#include "relay/connector.h"

namespace holdfast::relay {
namespace {

// How often a connect that is late, and that no other may race, looks whether one may by now: its
// backend may have been ejected meanwhile.
constexpr auto kLookInterval = std::chrono::milliseconds(20);

// How long a connect may take before another one races it; 0: none does.
Duration hedge_after(const pool::Pool& pool) {
  const auto& given = pool.config().connect.hedge_after;
  return given ? Duration(*given) : pool.racing().times.delay(Clock::now());
}

}  // namespace

void Connector::on_late() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(connector_late);
  for (auto& attempt : attempts_) {
    if (const auto code = attempt.outcome()) {
      on_outcome(attempt, *code);
      return;
    }
  }
  auto why = Why::hedge;
  auto* place = place_for_another(why);
  if (place == nullptr) {
    look_again();
  } else if (open(*place, why)) {
    HOLDFAST_FAULT_POINT(connector_race_begins);
    expect_next();
  } else {
    if (why == Why::hedge) {
      pool_.racing().budget.refund(Clock::now());
    }
    look_again();
  }
}

// To go on from a backend that takes no new connections any more is no extra: whoever waits for a
// host that is found silent meanwhile may leave it at once. Nothing when another attempt must wait.
Attempt* Connector::place_for_another(Why& why) {
  for (auto& attempt : attempts_) {
    if (attempt.is_open() && !pool_.is_in_use(attempt.backend())) {
      why = Why::failover;
      if (auto& free = other(attempt); !free.is_open()) {
        return &free;
      }
      lose(attempt);
      return &attempt;
    }
  }
  if (attempts_[0].is_open() && attempts_[1].is_open()) {
    return nullptr;
  }
  if (!pool_.racing().budget.withdraw(Clock::now())) {
    if (!std::exchange(was_denied_, true)) {
      counters().hedges_denied.add(1);
    }
    return nullptr;
  }
  return &attempts_[attempts_[0].is_open() ? 1 : 0];
}

// When the connect that has just begun is late.
void Connector::expect_next() {
  const auto after = hedge_after(pool_);
  if (after > Duration::zero() && has_attempts_left() && pool_.backends().size() > 1) {
    context_.deadlines.list(after).touch(late_);
  }
}

void Connector::look_again() {
  if (has_attempts_left()) {
    context_.deadlines.list(kLookInterval).touch(late_);
  }
}

// Another attempt was done first, or time is up for all. Whoever was late has failed by that; not
// so one that is done as well, as many are after a pause of the process.
void Connector::lose(Attempt& attempt) {
  const auto backend = attempt.backend();
  const bool has_failed = is_late(attempt) && attempt.outcome() != 0;
  if (attempt.is_hedge) {
    counters().hedges_lost.add(1);
  }
  HOLDFAST_FAULT_POINT(connector_race_lost);
  attempt.close(pool_);
  if (has_failed) {
    report_failure(context_, pool_, backend, "another backend connected first");
  }
}

// One that began a moment ago had no chance to be done.
bool Connector::is_late(const Attempt& attempt) const {
  const auto after = hedge_after(pool_);
  return attempt.age() >=
         (after > Duration::zero() ? after : pool_.racing().times.delay(Clock::now()));
}

}  // namespace holdfast::relay
