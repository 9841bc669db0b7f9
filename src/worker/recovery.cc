#include "worker/recovery.h"

#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <span>

#include "holdfast/base/descriptor_table.h"
#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"

namespace holdfast::worker {
namespace {

using state::ConnectionRecord;
using state::ConnectionState;

constexpr std::uint8_t kFatalCrashes = 2;  // of workers handling one and the same connection

// Calls `visit` for every live record of every thread that ever ran.
template <class Visit>
void for_each_live(const state::Region& region, Visit visit) {
  auto& shared = region.shared();
  for (unsigned thread = 0; thread < state::kMaxThreads; ++thread) {
    const auto records = region.records(thread);
    const auto touched =
        std::min<std::size_t>(shared.per_thread[thread].touched.get(), records.size());
    for (auto& record : records.first(touched)) {
      if (is_live(record)) {
        visit(thread, record);
      }
    }
  }
}

std::string_view listener_name(const state::SharedState& shared, const ConnectionRecord& record) {
  return record.listener < shared.listeners.size()
             ? state::to_view(shared.listeners[record.listener].name)
             : "";
}

std::string_view backend_name(const state::SharedState& shared, const ConnectionRecord& record) {
  return record.backend < shared.backends.size()
             ? state::to_view(shared.backends[record.backend].name)
             : "";
}

// Nothing when it is no socket.
std::optional<int> option(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? std::optional(value)
                                                                : std::nullopt;
}

// The connection that the last worker's fatal thread was at is under suspicion; at the second time
// it is given up, so that one connection can't hold all others in a crash loop.
std::size_t quarantine(const state::Region& region) {
  auto& supervision = region.shared().supervision;
  const auto thread = supervision.fatal_thread.get();
  supervision.fatal_thread.set(state::kNoThread);
  HOLDFAST_FAULT_POINT(takeover_suspect_cleared);
  std::size_t closed = 0;
  if (thread < state::kMaxThreads) {
    const auto records = region.records(thread);
    const auto handling = region.shared().per_thread[thread].handling.get();
    if (handling >= 1 && handling <= records.size() && is_live(records[handling - 1])) {
      auto& record = records[handling - 1];
      ++record.crashes;
      HOLDFAST_FAULT_POINT(takeover_crash_noted);
      if (record.crashes >= kFatalCrashes) {
        for (const int fd : {record.client_fd, record.backend_fd, record.second_fd}) {
          reset_on_close(fd);
        }
        record.state = ConnectionState::closing;  // so that nobody owns its descriptors
        HOLDFAST_FAULT_POINT(takeover_quarantined);
        region.shared().events.write(state::EventKind::connection_quarantined,
                                     {{"connection", record.id},
                                      {"thread", thread},
                                      {"listener", listener_name(region.shared(), record)},
                                      {"backend", backend_name(region.shared(), record)}});
        ++closed;
      }
    }
  }
  for (auto& state : region.shared().per_thread) {
    if (state.handling.get() != 0) {
      state.handling.set(0);
    }
  }
  supervision.quarantined.add(closed);
  HOLDFAST_FAULT_POINT(takeover_quarantine_counted);
  return closed;
}

void count(const state::Region& region, Inheritance& inheritance) {
  auto& shared = region.shared();
  for (auto& backend : state::first_touched(shared.backends, shared.backends_touched)) {
    backend.active.set(0);
  }
  for (auto& pool : state::first_touched(shared.pools, shared.pools_touched)) {
    pool.waiting.set(0);
  }
  HOLDFAST_FAULT_POINT(takeover_counts_cleared);
  std::vector<std::vector<std::uint64_t>> open(state::kMaxThreads);
  for_each_live(region, [&](unsigned thread, ConnectionRecord& record) {
    ++inheritance.connections;
    inheritance.threads = std::max(inheritance.threads, thread + 1);
    if (record.state == ConnectionState::relaying && record.backend < shared.backends.size()) {
      shared.backends[record.backend].active.increment();
    }
    // One that is still being accepted hasn't been counted.
    if (record.state != ConnectionState::accepting && record.listener < state::kMaxListeners) {
      open[thread].resize(state::kMaxListeners);
      ++open[thread][record.listener];
    }
  });
  shared.connections.set(static_cast<std::uint32_t>(inheritance.connections));
  for (unsigned thread = 0; thread < shared.threads.get(); ++thread) {
    open[thread].resize(state::kMaxListeners);
    const auto listeners = state::first_touched(shared.listeners, shared.listeners_touched);
    for (std::size_t listener = 0; listener < listeners.size(); ++listener) {
      auto& counters = shared.per_thread[thread].listeners[listener];
      counters.closed.set(counters.connections.get() - open[thread][listener]);
    }
  }
}

// A worker that died between recording a socket and listen(2) left one that nobody can connect to.
// Forgotten, it is closed with the strays and made anew.
void forget_silent_sockets(state::SharedState& shared) {
  const auto touched = std::min<std::size_t>(shared.sockets_touched.get(), shared.sockets.size());
  for (auto& socket : std::span(shared.sockets).first(touched)) {
    if (socket.is_used() && option(socket.fd, SO_ACCEPTCONN) != 1) {
      socket.forget();
    }
  }
}

// A client is recorded, then tuned (tune_stream()). One that is tuned and that no live record names
// was being closed: taken for a new client, it would be connected to a backend in mid-conversation.
bool was_recorded(int fd) {
  return option(fd, SO_OOBINLINE) != 0;
}

std::optional<std::uint16_t> listener_of(int fd, const state::SharedState& shared) {
  if (option(fd, SO_ACCEPTCONN) != 0 || was_recorded(fd) || !SocketAddress::peer(fd)) {
    return std::nullopt;
  }
  const auto own = SocketAddress::local(fd);
  for (const auto& socket : state::first_touched(shared.sockets, shared.sockets_touched)) {
    if (socket.is_used() && own && own->is_at(socket.address)) {
      return socket.listener;
    }
  }
  return std::nullopt;
}

}  // namespace

Inheritance take_over(const state::Region& region, const std::set<int>& kept) {
  auto& shared = region.shared();
  Inheritance inheritance;
  HOLDFAST_FAULT_POINT(takeover_begins);
  inheritance.quarantined = quarantine(region);
  count(region, inheritance);
  HOLDFAST_FAULT_POINT(takeover_counted);
  forget_silent_sockets(shared);

  std::vector<bool> owned(static_cast<std::size_t>(descriptor_table_size()));
  const auto is_known = [&](int fd) {
    return fd >= 0 && static_cast<std::size_t>(fd) < owned.size();
  };
  const auto own = [&](int fd) {
    if (is_known(fd)) {
      owned[static_cast<std::size_t>(fd)] = true;
    }
  };
  std::ranges::for_each(kept, own);
  for (const auto& socket : state::first_touched(shared.sockets, shared.sockets_touched)) {
    if (socket.is_used()) {
      own(socket.fd);
    }
  }
  for_each_live(region, [&](unsigned, const ConnectionRecord& record) {
    for (const int fd : {record.client_fd, record.backend_fd, record.to_backend.pipe_read,
                         record.to_backend.pipe_write, record.to_client.pipe_read,
                         record.to_client.pipe_write, record.keep_read, record.keep_write}) {
      own(fd);
    }
    if (record.state == ConnectionState::connecting) {
      own(record.second_fd);
    }
  });
  for_each_descriptor([&](int fd) {
    if (is_known(fd) && owned[static_cast<std::size_t>(fd)]) {
      return;
    }
    Fd stray(fd);
    if (const auto listener = listener_of(fd, shared)) {
      inheritance.unrecorded.push_back({*listener, std::move(stray)});
      HOLDFAST_FAULT_POINT(takeover_client_found);
    }
    HOLDFAST_FAULT_POINT(takeover_stray_closed);
  });
  HOLDFAST_FAULT_POINT(takeover_done);
  return inheritance;
}

}  // namespace holdfast::worker
