#include "worker/data_plane.h"

#include <algorithm>
#include <cerrno>
#include <latch>
#include <system_error>

#include "holdfast/base/socket.h"
#include "worker/capacity.h"

namespace holdfast::worker {
namespace {

Error explain(Error error, const ListenerConfig& listener) {
  error.message = "listener " + listener.name + ": " + error.message;
  if (error.code == EACCES) {
    error.message += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  } else if (error.code == EADDRINUSE) {
    error.message += "; stop what listens there or choose another port";
  }
  return error;
}

Result<SocketAddress> resolved(const Endpoint& endpoint, const Answers& answers) {
  if (const auto address = address_of(endpoint, answers)) {
    return *address;
  }
  const auto answer = answers.find(endpoint.host);
  return answer == answers.end() ? fail("'" + endpoint.host + "' hadn't resolved before")
                                 : answer->second;
}

}  // namespace

DataPlane::DataPlane(loop::Loop& loop, state::Region& region,
                     std::optional<Inheritance> inheritance, Log& log)
    : region_(region),
      shared_(region.shared()),
      log_(log),
      entries_(shared_),
      sockets_(shared_),
      inheritance_(inheritance ? std::move(*inheritance) : Inheritance()),
      placement_(loop, sockets_, relays_),
      retirement_(loop, shared_, entries_, sockets_, relays_,
                  [this](int socket) { placement_.forget(socket); }),
      takes_over_(inheritance.has_value()),
      leaves_sockets_(takes_over_) {}

DataPlane::~DataPlane() {
  relays_.clear();
  if (!leaves_sockets_) {
    for (auto* socket : sockets_.all()) {
      sockets_.forget(*socket);
    }
  }
}

Result<DataPlane::Staged> DataPlane::stage(const Config& config, const Answers& answers) {
  const unsigned threads = count_threads(config);
  const auto budget = plan_capacity(config, threads);
  if (!budget) {
    return tl::unexpected(budget.error());
  }
  if (auto checked = check_sources(config); !checked) {
    return tl::unexpected(checked.error());
  }
  if (started_) {
    if (auto made = make_threads(threads, limits_of(config, *budget, threads)); !made) {
      return tl::unexpected(made.error());
    }
  }
  auto topology = make_topology(config, answers, topology_, entries_, shared_);
  if (!topology) {
    give_names_back();
    return tl::unexpected(topology.error());
  }
  report_lost_names(config, answers);
  Staged staged{.config = config, .budget = *budget, .threads = threads, .topology = *topology};
  // A worker that was stopping has given its listeners up.
  for (std::size_t i = 0; i < config.listeners.size() && shared_.supervision.ending.get() == 0;
       ++i) {
    const auto& listener = config.listeners[i];
    const auto index = topology->listeners[i].index;
    if (auto made = stage_listener(listener, answers, index, staged); !made) {
      const auto error = explain(made.error(), listener);
      if (!takes_over_ || started_) {
        discard(staged);
        return tl::unexpected(error);
      }
      staged.incomplete.insert(index);
      log_.error("not listening", {{"listener", listener.name}, {"reason", error.message}});
    }
  }
  return staged;
}

// An address that this host hasn't got would leave each connect without a source. After a crash
// connections come first.
Result<void> DataPlane::check_sources(const Config& config) {
  for (const auto& pool : config.pools) {
    const auto& source = pool.connect.socket.source;
    if (source.size() == 0) {
      continue;
    }
    if (const auto checked = check_source(source); !checked) {
      const auto& [message, code] = checked.error();
      if (!takes_over_ || started_) {
        return tl::unexpected(Error{"pool " + pool.name + ": " + message, code});
      }
      log_.warning("no source", {{"pool", pool.name}, {"reason", message}});
    }
  }
  return {};
}

void DataPlane::report_lost_names(const Config& config, const Answers& answers) {
  for (const auto& pool : config.pools) {
    for (const auto& backend : pool.backends) {
      if (const auto address = resolved(backend.address, answers); !address) {
        log_.warning("backend down", {{"pool", pool.name},
                                      {"backend", backend.name},
                                      {"reason", address.error().message},
                                      {"address", backend.address.to_string()}});
      }
    }
    if (const auto& check = pool.health.address) {
      if (const auto address = resolved(*check, answers); !address) {
        log_.warning("backends not checked", {{"pool", pool.name},
                                              {"reason", address.error().message},
                                              {"address", check->to_string()}});
      }
    }
  }
}

Result<void> DataPlane::stage_listener(const ListenerConfig& config, const Answers& answers,
                                       std::uint16_t listener, Staged& staged) {
  for (const auto& bind : config.bind) {
    const auto address = resolved(bind.endpoint, answers);
    if (!address) {
      return tl::unexpected(address.error());
    }
    const auto made = sockets_.open(listener, *address, hash_of(bind.endpoint), staged.threads);
    if (!made) {
      return tl::unexpected(made.error());
    }
    staged.made.insert(staged.made.end(), made->begin(), made->end());
    // Sockets of threads that are configured no longer are served by those that are left.
    unsigned thread = 0;
    for (auto* socket : sockets_.at(listener, *address)) {
      const auto place = static_cast<std::uint16_t>(thread++ % staged.threads);
      staged.places.push_back({socket, listener, place, config.socket});
    }
    if (config.socket.fastopen > 0 && !address->is_unix() && !accepts_fastopen()) {
      log_.warning("no fastopen",
                   {{"listener", config.name}, {"reason", "net.ipv4.tcp_fastopen lacks bit 2"}});
    }
    if (!made->empty()) {
      log_.info("listening", {{"listener", config.name},
                              {"address", made->front()->address.to_string()},
                              {"pool", config.pool}});
    }
  }
  return {};
}

void DataPlane::discard(const Staged& staged) {
  for (auto* socket : staged.made) {
    const Fd closed(socket->fd);
    sockets_.forget(*socket);
  }
  give_names_back();
}

// Entries that were claimed and aren't in force are retired, and free as soon as somebody looks.
void DataPlane::give_names_back() {
  retire_listeners();
  retirement_.begin();
}

void DataPlane::commit(const Staged& staged) {
  for (const auto& pool : topology_.pools) {
    retirement_.add_pool(pool);
  }
  {
    const std::lock_guard lock(entries_.mutex());  // addresses and authors are read like names
    publish(staged.config, staged.topology, shared_);
  }
  topology_ = staged.topology;
  for (const auto& pool : topology_.pools) {
    if (!started_ && takes_over_) {
      pool->hold();
    }
    pool::Pool::put_in_force(pool);
  }
  const auto limits = limits_of(staged.config, staged.budget, staged.threads);
  if (!started_) {
    const unsigned count = std::max(staged.threads, inheritance_.threads);
    for (unsigned thread = count; thread < shared_.threads.get(); ++thread) {
      shared_.per_thread[thread].heartbeat.set(0);  // of a worker that had more threads
    }
    static_cast<void>(make_threads(count, limits));
  }
  for (const auto& relay : relays_) {
    relay->post([limits, topology = topology_](relay::Relay& its) {
      for (const auto& listener : topology.listeners) {
        its.configure(listener);
      }
      its.set_limits(limits);
    });
  }
  if (!started_) {
    for (const auto& former : former_listeners(topology_, shared_)) {
      for (const auto& relay : relays_) {
        relay->post([former](relay::Relay& its) { its.configure(former); });
      }
    }
  }
  place_sockets(staged);
  retire_sockets(staged);
  if (started_) {
    retire_listeners();
  }
  retirement_.begin();
}

// A thread more than before does nothing until it is given something.
Result<void> DataPlane::make_threads(unsigned count, const relay::RelayLimits& limits) {
  while (relays_.size() < count) {
    const auto index = static_cast<unsigned>(relays_.size());
    relays_.push_back(
        std::make_unique<RelayThread>(relay::RelayOptions{.thread = index, .limits = limits},
                                      shared_, region_.records(index), log_));
    if (started_) {
      try {
        relays_.back()->start();
      } catch (const std::system_error& error) {
        relays_.pop_back();
        return fail("cannot start a thread", error.code().value());
      }
    }
    shared_.threads.set(std::max(shared_.threads.get(), index + 1));
  }
  return {};
}

void DataPlane::place_sockets(const Staged& staged) {
  for (const auto& place : staged.places) {
    retirement_.take_back(*place.socket);
    placement_.place(place);
  }
}

// What has no place any more.
void DataPlane::retire_sockets(const Staged& staged) {
  std::set<const state::ListeningSocket*> serving;
  for (const auto& place : staged.places) {
    serving.insert(place.socket);
  }
  for (auto* socket : sockets_.all()) {
    if (serving.contains(socket) || staged.incomplete.contains(socket->listener)) {
      continue;
    }
    sockets_.retire(*socket);
    retirement_.add_socket(*socket, placement_.last_holder(*socket));
  }
}

void DataPlane::retire_listeners() {
  std::set<std::uint16_t> served;
  for (const auto* socket : sockets_.all()) {
    served.insert(socket->listener);
  }
  std::uint16_t index = 0;
  for (const auto& entry : state::first_touched(shared_.listeners, shared_.listeners_touched)) {
    if (entry.name[0] != '\0' && entry.retired.get() != 0 && !served.contains(index)) {
      retirement_.add_listener(index);
    }
    ++index;
  }
}

void DataPlane::start() {
  std::latch recovered(static_cast<std::ptrdiff_t>(relays_.size()));
  started_ = true;
  for (const auto& relay : relays_) {
    relay->recover(std::exchange(inheritance_.unrecorded, {}), recovered);
    relay->start();
  }
  recovered.wait();
  for (const auto& pool : topology_.pools) {
    pool->open();
  }
  retire_listeners();  // not before: the connections they still have wouldn't be gone on with
}

void DataPlane::stop_accepting() {
  retirement_.stop();
  const auto sockets = sockets_.all();
  for (auto* socket : sockets) {
    sockets_.retire(*socket);
  }
  // Forgotten before they are closed: their numbers will soon be somebody else's.
  for (auto* socket : sockets) {
    sockets_.forget(*socket);
  }
  for (const auto& relay : relays_) {
    relay->stop_accepting();
  }
}

void DataPlane::close_backend(const relay::BackendClosing& closing) {
  for (const auto& relay : relays_) {
    relay->post([closing](relay::Relay& its) { its.close_backend(closing); });
  }
}

void DataPlane::close() {
  relays_.clear();
  leaves_sockets_ = false;
}

void DataPlane::halt() {
  for (const auto& relay : relays_) {
    relay->halt();
  }
}

}  // namespace holdfast::worker
