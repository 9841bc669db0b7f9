#include "worker/closings.h"

#include <algorithm>

#include "holdfast/base/fault.h"

namespace holdfast::worker {
namespace {

using namespace std::chrono_literals;

constexpr Duration kShortestSpread = 1s;
constexpr Duration kLongestSpread = 30s;

// Portions that a closing is done in, and how far apart they are at least and at most.
constexpr int kPortions = 50;
constexpr Duration kShortestPause = 20ms;
constexpr Duration kLongestPause = 500ms;

}  // namespace

Duration usual_spread(Duration close_after) {
  return std::clamp<Duration>(close_after / 10, kShortestSpread, kLongestSpread);
}

Closings::Closings(loop::Loop& loop, DataPlane& plane, state::SharedState& shared, Log& log)
    : plane_(plane), shared_(shared), log_(log), timer_(loop, [this] { tend(); }) {}

void Closings::begin(state::BackendEntry& entry, state::CloseCause cause, TimePoint from,
                     Duration spread) {
  auto& closing = entry.admin.closing;
  closing.begins_at.set(0);
  closing.cause.set(static_cast<std::uint32_t>(cause));
  closing.spread.set(static_cast<std::uint64_t>(spread.count()));
  HOLDFAST_FAULT_POINT(closing_half_noted);
  closing.begins_at.set(static_cast<std::uint64_t>(to_nanoseconds(from)));
  HOLDFAST_FAULT_POINT(closing_noted);
}

void Closings::cancel(state::BackendEntry& entry) {
  entry.admin.closing.begins_at.set(0);
}

bool Closings::is_due_for(const state::BackendEntry& entry, state::CloseCause cause) {
  const auto& closing = entry.admin.closing;
  return closing.is_set() && closing.cause.get() == static_cast<std::uint32_t>(cause);
}

void Closings::tend() {
  next_ = kLongestPause;
  bool is_left = close_down_backends();
  std::uint16_t index = 0;
  for (auto& entry : state::first_touched(shared_.backends, shared_.backends_touched)) {
    if (entry.name[0] != '\0' && entry.admin.closing.is_set()) {
      is_left = close_by_record(index, entry) || is_left;
    }
    ++index;
  }
  if (is_left) {
    timer_.start_once(next_);
  } else {
    timer_.stop();
  }
}

// By what is, not by what changes: a connect that was under way when the backend went down may
// succeed after all, and a worker may have died before it closed anything. In a panic the checks'
// word doesn't count: who is closed would be given such a backend again.
bool Closings::close_down_backends() {
  bool is_left = false;
  for (const auto& pool : plane_.topology().pools) {
    if (pool->config().on_down != Established::close || pool->reach().panics) {
      continue;
    }
    for (const auto& backend : pool->backends()) {
      const auto& entry = pool->entry(backend);
      if (backend.address && entry.current_health() == state::Health::down &&
          entry.active.get() > 0) {
        plane_.close_backend({.backend = backend.index, .cause = state::CloseCause::backend_down});
        is_left = true;
      }
    }
  }
  return is_left;
}

// Whether it isn't over yet.
bool Closings::close_by_record(std::uint16_t index, state::BackendEntry& entry) {
  const auto& closing = entry.admin.closing;
  const auto begins_at = closing.begins_at.get();
  const auto passed = Clock::now() - from_nanoseconds(static_cast<std::int64_t>(begins_at));
  if (passed < Duration::zero()) {
    next_ = std::min(next_, -passed);
    return true;
  }
  if (entry.active.get() == 0) {
    finish(entry);
    return false;
  }
  const Duration spread(static_cast<std::int64_t>(closing.spread.get()));
  const auto cause = std::min<std::uint32_t>(closing.cause.get(), state::kCloseCauses - 1);
  plane_.close_backend({.backend = index,
                        .cause = static_cast<state::CloseCause>(cause),
                        .share = passed >= spread ? 1
                                                  : static_cast<double>(passed.count()) /
                                                        static_cast<double>(spread.count()),
                        .seed = begins_at});
  // A client that finds nobody in the lower tiers may still come to this one: it isn't kept empty.
  if (passed >= spread && is_due_for(entry, state::CloseCause::lower_tier_up)) {
    finish(entry);
    return false;
  }
  next_ = std::min(next_, std::clamp(spread / kPortions, kShortestPause, kLongestPause));
  return true;
}

void Closings::finish(state::BackendEntry& entry) {
  const bool was_drained = is_due_for(entry, state::CloseCause::drained);
  cancel(entry);
  if (!was_drained) {
    return;
  }
  const auto pool = state::to_view(shared_.pools[entry.pool].name);
  const auto name = state::to_view(entry.name);
  shared_.events.write(state::EventKind::backend_drained, {{"pool", pool}, {"backend", name}});
  log_.info("backend drained", {{"pool", pool}, {"backend", name}});
}

}  // namespace holdfast::worker
