#include "worker/administration.h"

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "holdfast/base/fault.h"
#include "holdfast/config/run_time_changes.h"

namespace holdfast::worker {
namespace {

using state::AdminState;
using state::EventKind;
using Kind = BackendChange::Kind;

constexpr unsigned kMostWeight = 1000;
constexpr Duration kLongest = std::chrono::hours(24);

std::uint64_t now_in_milliseconds() {
  return static_cast<std::uint64_t>(wall_clock_seconds() * 1000);
}

std::int64_t milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

AdminState state_for(Kind kind) {
  switch (kind) {
    case Kind::drain:
      return AdminState::drain;
    case Kind::maint:
      return AdminState::maint;
    case Kind::ready:
    case Kind::weight:
    case Kind::add:
    case Kind::remove:
      break;
  }
  return AdminState::ready;
}

EventKind event_for(AdminState state) {
  switch (state) {
    case AdminState::ready:
      return EventKind::backend_ready;
    case AdminState::drain:
      return EventKind::backend_drain;
    case AdminState::maint:
      return EventKind::backend_maint;
  }
  std::abort();
}

std::optional<std::string> wrong_with(const BackendChange& change) {
  if (change.kind == Kind::weight && change.weight > kMostWeight) {
    return "a weight is 0 to 1000";
  }
  for (const auto& time : {change.close_after, change.spread}) {
    if (time && (*time < Duration::zero() || *time > kLongest)) {
      return "close_after and spread are 0 to 24h";
    }
  }
  if (change.spread && !change.close_after) {
    return "a spread needs close_after: nothing is closed otherwise";
  }
  if (change.close_after && change.kind != Kind::drain && change.kind != Kind::maint) {
    return "only drain and maint close connections";
  }
  return std::nullopt;
}

}  // namespace

Administration::Administration(DataPlane& plane, health::Checker& checker, Closings& closings,
                               state::SharedState& shared, Log& log)
    : plane_(plane), checker_(checker), closings_(closings), shared_(shared), log_(log) {}

ChangeResult Administration::change(const BackendChange& change) {
  assert(change.kind != Kind::add && change.kind != Kind::remove);
  if (const auto wrong = wrong_with(change)) {
    return tl::unexpected(Error{*wrong, EINVAL});
  }
  const auto& pools = plane_.topology().pools;
  const auto pool =
      std::ranges::find_if(pools, [&](const auto& one) { return one->name() == change.pool; });
  if (pool == pools.end()) {
    Config config;
    for (const auto& one : pools) {
      config.pools.push_back(one->config());
    }
    return tl::unexpected(no_such_pool(config, change.pool));
  }
  const auto backends = (*pool)->backends();
  const auto backend = std::ranges::find(backends, change.backend, &pool::Backend::name);
  if (backend == backends.end()) {
    return tl::unexpected(no_such_backend((*pool)->config(), change.backend));
  }
  auto& entry = (*pool)->entry(*backend);
  const auto about = "pool " + change.pool + ": backend " + change.backend + " ";
  if (change.kind == Kind::weight) {
    const auto before = entry.weight.get();
    if (before == change.weight) {
      return std::vector<std::string>{};
    }
    set_weight(entry, change.weight);
    (*pool)->update();  // what is drawn by tables and by the heaviest goes by it from now on too
    (*pool)->serve_waiting();
    sign(entry, change.by);
    shared_.events.write(EventKind::backend_weight, {{"pool", change.pool},
                                                     {"backend", change.backend},
                                                     {"by", state::to_view(entry.admin.set_by)},
                                                     {"weight", change.weight},
                                                     {"before", before}});
    log_.info("backend weight", {{"pool", change.pool},
                                 {"backend", change.backend},
                                 {"by", state::to_view(entry.admin.set_by)},
                                 {"weight", change.weight},
                                 {"before", before}});
    return std::vector{about + "weight " + std::to_string(before) + " -> " +
                       std::to_string(change.weight)};
  }
  const auto before = entry.admin.current_state();
  const auto after = state_for(change.kind);
  if (before == after && !change.close_after) {
    return std::vector<std::string>{};  // whoever was the first to say so has set it
  }
  set_state(entry, backend->address.has_value(), after, change);
  (*pool)->serve_waiting();  // by this backend, or by those of a tier that comes into use
  if (before == after) {
    return std::vector{about + std::string(to_string(after)) +
                       ", another time at which its connections are closed"};
  }
  return std::vector{about + std::string(to_string(before)) + " -> " +
                     std::string(to_string(after))};
}

// The entry's weight is what relay threads go by; the record tells a reload and a successor whose
// it is. Whoever sets what the file says has the file's again.
void Administration::set_weight(state::BackendEntry& entry, unsigned weight) {
  auto& admin = entry.admin;
  admin.weight_is_set.set(weight == admin.configured_weight.get() ? 0 : 1);
  HOLDFAST_FAULT_POINT(administration_weight_marked);
  entry.weight.set(weight);
}

void Administration::set_state(state::BackendEntry& entry, bool is_resolved, AdminState to,
                               const BackendChange& change) {
  auto& admin = entry.admin;
  const auto before = admin.current_state();
  if (before == AdminState::maint && to != AdminState::maint && is_resolved) {
    // What was known of it is old; the first check decides, as it does for a new one. It was
    // restarted, as a rule, and begins slowly.
    entry.health = {};
    entry.came_back_at.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
    entry.published_health.set(static_cast<std::uint32_t>(state::Health::unknown));
    entry.transitions[static_cast<std::size_t>(state::Health::unknown)].add(1);
    entry.changed_at.set(now_in_milliseconds());
    HOLDFAST_FAULT_POINT(administration_health_forgotten);
  }
  sign(entry, change.by);
  admin.state.set(static_cast<std::uint32_t>(to));
  HOLDFAST_FAULT_POINT(administration_state_set);
  if (to == AdminState::ready) {
    Closings::cancel(entry);
  } else if (change.close_after) {
    Closings::begin(entry, state::CloseCause::drained, Clock::now() + *change.close_after,
                    change.spread.value_or(usual_spread(*change.close_after)));
  }
  const auto by = state::to_view(admin.set_by);
  shared_.events.write(event_for(to), {{"pool", change.pool},
                                       {"backend", change.backend},
                                       {"by", by},
                                       {"connections", entry.active.get()}});
  const auto event = "backend " + std::string(to_string(to));
  if (change.close_after) {
    log_.info(event, {{"pool", change.pool},
                      {"backend", change.backend},
                      {"by", by},
                      {"connections", entry.active.get()},
                      {"close_after_ms", milliseconds(*change.close_after)},
                      {"spread_ms", admin.closing.spread.get() / 1'000'000}});
  } else {
    log_.info(event, {{"pool", change.pool},
                      {"backend", change.backend},
                      {"by", by},
                      {"connections", entry.active.get()}});
  }
  checker_.watch(plane_.topology().pools);
  closings_.tend();
}

void Administration::sign(state::BackendEntry& entry, const std::string& by) {
  const std::lock_guard lock(plane_.entries().mutex());
  entry.admin.set_by = state::to_author(by);
  entry.admin.set_at.set(now_in_milliseconds());
}

}  // namespace holdfast::worker
