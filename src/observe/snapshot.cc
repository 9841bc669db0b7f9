#include "holdfast/observe/snapshot.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <span>

namespace holdfast::observe {
namespace {

using Threads = std::span<const state::ThreadState>;

template <std::size_t Size>
void add(std::array<std::uint64_t, Size>& sums, const std::array<state::Counter, Size>& counters) {
  for (std::size_t i = 0; i < Size; ++i) {
    sums[i] += counters[i].get();
  }
}

void add(HistogramSnapshot& sum, const state::Histogram& histogram) {
  add(sum.buckets, histogram.buckets);
  sum.sum_nanoseconds += histogram.sum_nanoseconds.get();
}

ListenerSnapshot snapshot_listener(const state::ListenerEntry& entry, std::size_t index,
                                   Threads threads) {
  ListenerSnapshot listener;
  listener.name = state::to_view(entry.name);
  std::uint64_t closed = 0;
  for (const auto& thread : threads) {
    const auto& counters = thread.listeners[index];
    closed += counters.closed.get();  // before connections: a close seen has its open seen too
    listener.connections += counters.connections.get();
    add(listener.rejected, counters.rejected);
    listener.accept_pauses += counters.accept_pauses.get();
    listener.received_bytes += counters.received_bytes.get();
    listener.sent_bytes += counters.sent_bytes.get();
  }
  listener.active = listener.connections - std::min(closed, listener.connections);
  return listener;
}

BackendSnapshot snapshot_backend(const state::BackendEntry& entry, std::size_t index,
                                 Threads threads) {
  BackendSnapshot backend;
  backend.name = state::to_view(entry.name);
  backend.health = entry.current_health();
  backend.retired = entry.retired.get() != 0;
  backend.admin = entry.admin.current_state();
  backend.weight = entry.admin.is_ready() ? entry.weight.get() : 0;
  backend.tier = entry.tier.get();
  backend.agent_state = entry.agent.current_state();
  backend.agent_percent = entry.agent.percent();
  backend.active = entry.active.get();
  backend.checks_passed = entry.checks_passed.get();
  backend.checks_failed = entry.checks_failed.get();
  add(backend.transitions, entry.transitions);
  backend.changed_at = entry.changed_at.get();
  backend.is_ejected = entry.ejection.current() != state::EjectionState::none;
  backend.ejections = entry.ejection.total.get();
  for (const auto& thread : threads) {
    const auto& counters = thread.backends[index];
    backend.connections += counters.connections.get();
    add(backend.connect_failures, counters.connect_failures);
    add(backend.closed, counters.closed);
    backend.received_bytes += counters.received_bytes.get();
    backend.sent_bytes += counters.sent_bytes.get();
  }
  return backend;
}

PoolSnapshot snapshot_pool(const state::PoolEntry& entry, std::size_t index, Threads threads) {
  PoolSnapshot pool;
  pool.name = state::to_view(entry.name);
  pool.waiting = entry.waiting.get();
  pool.tier = entry.tier.get();
  pool.panics = entry.panics.get() != 0;
  add(pool.health_check_duration, entry.health_check_duration);
  for (const auto& thread : threads) {
    const auto& counters = thread.pools[index];
    pool.failovers += counters.failovers.get();
    pool.no_backend += counters.no_backend.get();
    pool.hedges_won += counters.hedges_won.get();
    pool.hedges_lost += counters.hedges_lost.get();
    pool.hedges_denied += counters.hedges_denied.get();
    pool.replays += counters.replays.get();
    add(pool.queue_wait, counters.queue_wait);
    add(pool.connect_duration, counters.connect_duration);
    add(pool.connection_duration, counters.connection_duration);
  }
  return pool;
}

ContinuitySnapshot snapshot_continuity(const state::Supervision& supervision, Threads threads) {
  ContinuitySnapshot continuity;
  add(continuity.restarts, supervision.restarts);
  for (const auto& thread : threads) {
    continuity.recovered += thread.recovered.get();
    continuity.lost += thread.lost.get();
  }
  continuity.quarantined = supervision.quarantined.get();
  add(continuity.upgrades, supervision.upgrade.total);
  add(continuity.recovery_duration, supervision.recovery_duration);
  return continuity;
}

template <class Array>
bool has_entry(const Array& entries, const state::Gauge& touched, std::size_t index) {
  return index < state::first_touched(entries, touched).size() && entries[index].name[0] != '\0';
}

}  // namespace

std::string_view to_string(BackendState state) {
  switch (state) {
    case BackendState::unknown:
      return "unknown";
    case BackendState::up:
      return "up";
    case BackendState::down:
      return "down";
    case BackendState::drain:
      return "drain";
    case BackendState::maint:
      return "maint";
  }
  std::abort();
}

BackendState BackendSnapshot::state() const {
  switch (admin) {
    case state::AdminState::drain:
      return BackendState::drain;
    case state::AdminState::maint:
      return BackendState::maint;
    case state::AdminState::ready:
      break;
  }
  switch (health) {
    case state::Health::unknown:
      return BackendState::unknown;
    case state::Health::up:
      return BackendState::up;
    case state::Health::down:
      return BackendState::down;
  }
  std::abort();
}

Snapshot take_snapshot(const state::SharedState& shared) {
  Snapshot snapshot;
  snapshot.started_at = shared.started_at.get();
  snapshot.threads = std::min<std::uint32_t>(shared.threads.get(), state::kMaxThreads);
  snapshot.connections = shared.connections.get();
  const Threads threads(shared.per_thread.data(), snapshot.threads);
  snapshot.continuity = snapshot_continuity(shared.supervision, threads);
  snapshot.reloads = {.succeeded = shared.reloads.succeeded.get(),
                      .failed = shared.reloads.failed.get(),
                      .last_succeeded = shared.reloads.last_failed.get() == 0};
  for (std::size_t i = 0; i < shared.listeners_touched.get(); ++i) {
    if (has_entry(shared.listeners, shared.listeners_touched, i)) {
      snapshot.listeners.push_back(snapshot_listener(shared.listeners[i], i, threads));
    }
  }
  std::map<std::size_t, std::size_t> places;  // of pools in the snapshot, by index
  for (std::size_t i = 0; i < shared.pools_touched.get(); ++i) {
    if (has_entry(shared.pools, shared.pools_touched, i)) {
      places.emplace(i, snapshot.pools.size());
      snapshot.pools.push_back(snapshot_pool(shared.pools[i], i, threads));
    }
  }
  for (std::size_t i = 0; i < shared.backends_touched.get(); ++i) {
    const auto& entry = shared.backends[i];
    const auto pool = places.find(entry.pool);
    if (has_entry(shared.backends, shared.backends_touched, i) && pool != places.end()) {
      snapshot.pools[pool->second].backends.push_back(snapshot_backend(entry, i, threads));
    }
  }
  return snapshot;
}

}  // namespace holdfast::observe
