#include "worker/entries.h"

#include <algorithm>

namespace holdfast::worker {
namespace {

using state::to_view;

// The index of the first entry that `is_it` says yes to.
template <class Array, class Predicate>
std::optional<std::uint16_t> find(Array& entries, const state::Gauge& touched, Predicate is_it) {
  const auto used = state::first_touched(entries, touched);
  const auto place = std::ranges::find_if(used, is_it);
  return place == used.end() ? std::nullopt
                             : std::optional(static_cast<std::uint16_t>(place - used.begin()));
}

template <class Array>
std::optional<std::uint16_t> find_free(Array& entries, const state::Gauge& touched) {
  const auto free = find(entries, touched, [](const auto& entry) { return entry.name[0] == '\0'; });
  if (free || touched.get() >= entries.size()) {
    return free;
  }
  return static_cast<std::uint16_t>(touched.get());
}

// Last, when the entry is complete: whoever counts up to here finds it so.
void touch(state::Gauge& touched, std::uint16_t index) {
  if (index >= touched.get()) {
    touched.set(index + 1U);
  }
}

template <class Entry>
void begin(Entry& entry, std::string_view name) {
  entry = Entry{};
  entry.retired.set(1);
  entry.name = state::to_name(name);
}

}  // namespace

std::optional<std::uint16_t> Entries::claim_listener(std::string_view name) {
  const auto known = find(shared_.listeners, shared_.listeners_touched,
                          [&](const auto& entry) { return to_view(entry.name) == name; });
  if (known) {
    return known;
  }
  const auto index = find_free(shared_.listeners, shared_.listeners_touched);
  if (index) {
    const std::lock_guard lock(mutex_);
    for (auto& thread : state::first_touched(shared_.per_thread, shared_.threads)) {
      state::clear(thread.listeners[*index]);
    }
    begin(shared_.listeners[*index], name);
    touch(shared_.listeners_touched, *index);
  }
  return index;
}

std::optional<std::uint16_t> Entries::claim_pool(std::string_view name) {
  const auto known = find(shared_.pools, shared_.pools_touched,
                          [&](const auto& entry) { return to_view(entry.name) == name; });
  if (known) {
    return known;
  }
  const auto index = find_free(shared_.pools, shared_.pools_touched);
  if (index) {
    const std::lock_guard lock(mutex_);
    for (auto& thread : state::first_touched(shared_.per_thread, shared_.threads)) {
      state::clear(thread.pools[*index]);
    }
    begin(shared_.pools[*index], name);
    touch(shared_.pools_touched, *index);
  }
  return index;
}

std::optional<std::uint16_t> Entries::claim_backend(std::uint16_t pool, std::string_view name) {
  const auto known =
      find(shared_.backends, shared_.backends_touched, [&](const state::BackendEntry& entry) {
        return entry.pool == pool && to_view(entry.name) == name;
      });
  if (known) {
    return known;
  }
  const auto index = find_free(shared_.backends, shared_.backends_touched);
  if (index) {
    const std::lock_guard lock(mutex_);
    for (auto& thread : state::first_touched(shared_.per_thread, shared_.threads)) {
      state::clear(thread.backends[*index]);
    }
    begin(shared_.backends[*index], name);
    shared_.backends[*index].pool = pool;
    touch(shared_.backends_touched, *index);
  }
  return index;
}

std::map<std::string_view, std::uint16_t> Entries::backends_of(std::uint16_t pool) const {
  std::map<std::string_view, std::uint16_t> found;
  std::uint16_t index = 0;
  for (const auto& entry : state::first_touched(shared_.backends, shared_.backends_touched)) {
    if (entry.pool == pool && entry.name[0] != '\0') {
      found.emplace(to_view(entry.name), index);
    }
    ++index;
  }
  return found;
}

std::optional<std::uint16_t> Entries::find_pool(std::string_view pool) const {
  return find(shared_.pools, shared_.pools_touched,
              [&](const state::PoolEntry& entry) { return to_view(entry.name) == pool; });
}

void Entries::free_listener(std::uint16_t index) {
  const std::lock_guard lock(mutex_);
  shared_.listeners[index].name = {};
}

void Entries::free_pool(std::uint16_t index) {
  const std::lock_guard lock(mutex_);
  shared_.pools[index].name = {};
}

void Entries::free_backend(std::uint16_t index) {
  const std::lock_guard lock(mutex_);
  shared_.backends[index].name = {};
}

}  // namespace holdfast::worker
