#include "worker/retirement.h"

#include <algorithm>

namespace holdfast::worker {
namespace {

// Handshakes that have begun when a socket retires are given this long: a round trip of any
// network, with a lost segment sent again.
constexpr auto kLinger = std::chrono::seconds(1);

bool is_retired(const state::Name& name, const state::Gauge& retired) {
  return name[0] != '\0' && retired.get() != 0;
}

}  // namespace

Retirement::Retirement(loop::Loop& loop, state::SharedState& shared, Entries& entries,
                       ListeningSockets& sockets,
                       const std::vector<std::unique_ptr<RelayThread>>& relays,
                       std::function<void(int)> on_closing)
    : shared_(shared),
      entries_(entries),
      sockets_(sockets),
      relays_(relays),
      on_closing_(std::move(on_closing)),
      mailbox_(loop),
      timer_(loop, [this] { tend(); }) {}

void Retirement::add_socket(state::ListeningSocket& socket, RelayThread& holder) {
  const auto known = std::ranges::any_of(
      retiring_, [&](const auto& retiring) { return retiring.socket == &socket; });
  if (!known) {
    retiring_.push_back({.socket = &socket, .holder = &holder, .since = Clock::now()});
  }
}

void Retirement::take_back(const state::ListeningSocket& socket) {
  std::erase_if(retiring_, [&](const auto& retiring) { return retiring.socket == &socket; });
}

void Retirement::add_listener(std::uint16_t listener) {
  if (forgetting_.contains(listener) || forgotten_.contains(listener)) {
    return;
  }
  forgetting_[listener] = relays_.size();
  for (const auto& relay : relays_) {
    relay->post([this, listener](relay::Relay& its) {
      its.forget(listener);
      mailbox_.post([this, listener] { on_forgotten(listener); });
    });
  }
}

void Retirement::begin() {
  if (!timer_.is_running()) {  // begun anew by each of many reloads, it would never be due
    timer_.start_every(kInterval);
  }
}

void Retirement::stop() {
  timer_.stop();
  retiring_.clear();
}

void Retirement::tend() {
  for (auto& retiring : retiring_) {
    if (!retiring.asked && Clock::now() - retiring.since >= kLinger) {
      retiring.asked = true;
      retiring.holder->post([this, fd = retiring.socket->fd](relay::Relay& relay) {
        const bool empty = relay.drain(fd);
        mailbox_.post([this, fd, empty] { on_drained(fd, empty); });
      });
    }
  }
  std::erase_if(pools_, [](const auto& pool) { return pool.expired(); });
  if (free_entries() && retiring_.empty() && forgetting_.empty()) {
    timer_.stop();
  }
}

void Retirement::on_drained(int socket, bool empty) {
  const auto place = std::ranges::find_if(
      retiring_, [socket](const auto& retiring) { return retiring.socket->fd == socket; });
  if (place == retiring_.end()) {
    return;  // it serves again
  }
  place->asked = false;
  if (!empty) {
    return;  // there was no room for one more; later
  }
  const auto retiring = *place;
  retiring_.erase(place);
  const auto listener = retiring.socket->listener;
  // Forgotten before it is closed: its number will soon be somebody else's.
  sockets_.forget(*retiring.socket);
  on_closing_(socket);
  retiring.holder->post([socket](relay::Relay& relay) { relay.close(socket); });
  if (shared_.listeners[listener].retired.get() != 0 && !is_served(listener)) {
    add_listener(listener);
  }
}

void Retirement::on_forgotten(std::uint16_t listener) {
  if (--forgetting_[listener] == 0) {
    forgetting_.erase(listener);
    // Not if it is configured again: then it was told to the threads anew, after this.
    if (shared_.listeners[listener].retired.get() != 0) {
      forgotten_.insert(listener);
    }
  }
}

// True when nothing retired is left.
bool Retirement::free_entries() {
  std::erase_if(forgotten_, [&](std::uint16_t listener) {
    return shared_.listeners[listener].retired.get() == 0;
  });
  // Of sessions that began before a change: what they may pick, which isn't what came after them.
  std::set<std::uint16_t> pools_in_use;
  std::set<std::uint16_t> backends_in_use;
  for (const auto& weak : pools_) {
    if (const auto pool = weak.lock()) {
      pools_in_use.insert(pool->index());
      for (const auto& backend : pool->backends()) {
        backends_in_use.insert(backend.index);
      }
    }
  }
  bool all = true;
  std::uint16_t index = 0;
  for (auto& backend : state::first_touched(shared_.backends, shared_.backends_touched)) {
    if (is_retired(backend.name, backend.retired)) {
      if (backend.active.get() == 0 && !backends_in_use.contains(index)) {
        entries_.free_backend(index);
      } else {
        all = false;
        pools_in_use.insert(backend.pool);
      }
    }
    ++index;
  }
  index = 0;
  for (auto& listener : state::first_touched(shared_.listeners, shared_.listeners_touched)) {
    if (is_retired(listener.name, listener.retired)) {
      std::uint64_t open = 0;
      for (const auto& thread : state::first_touched(shared_.per_thread, shared_.threads)) {
        const auto& counters = thread.listeners[index];
        open += counters.connections.get() - counters.closed.get();
      }
      if (open == 0 && forgotten_.contains(index) && !is_served(index)) {
        forgotten_.erase(index);
        entries_.free_listener(index);
      } else {
        all = false;
        pools_in_use.insert(listener.pool);
      }
    }
    ++index;
  }
  index = 0;
  for (auto& pool : state::first_touched(shared_.pools, shared_.pools_touched)) {
    if (is_retired(pool.name, pool.retired)) {
      if (!pools_in_use.contains(index)) {
        entries_.free_pool(index);
      } else {
        all = false;
      }
    }
    ++index;
  }
  return all;
}

bool Retirement::is_served(std::uint16_t listener) const {
  return std::ranges::any_of(sockets_.all(),
                             [listener](const auto* one) { return one->listener == listener; });
}

}  // namespace holdfast::worker
