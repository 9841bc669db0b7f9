#include "holdfast/worker/worker.h"

#include <sched.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <map>

#include "holdfast/discovery/resolver.h"
#include "holdfast/state/region.h"
#include "worker/control_thread.h"
#include "worker/descriptor_budget.h"
#include "worker/listening_sockets.h"
#include "worker/relay_thread.h"
#include "worker/topology.h"

namespace holdfast::worker {
namespace {

// A large pipe has 256 pages, and the pipes of an unprivileged user shrink when he has 16,384
// (pipe(7)): these take half of them at most, however many threads there are.
constexpr unsigned kMostLargePipes = 32;
constexpr unsigned kLargePipesEach = 4;

unsigned usable_cpus() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) {
    return 1;
  }
  return static_cast<unsigned>(CPU_COUNT(&set));
}

unsigned count_threads(const Config& config) {
  const auto most = static_cast<unsigned>(state::kMaxThreads);
  return std::clamp(config.threads.value_or(usable_cpus()), 1U, most);
}

Result<DescriptorBudget> plan(const Config& config, unsigned threads) {
  DescriptorNeeds needs{.limit = raise_descriptor_limit(),
                        .threads = threads,
                        .max_connections = config.max_connections};
  for (const auto& listener : config.listeners) {
    needs.listening_sockets += listener.bind.size() * threads;
  }
  for (const auto& pool : config.pools) {
    needs.backends += pool.backends.size();
  }
  return plan_descriptors(needs);
}

Error explain(Error error, const ListenerConfig& listener) {
  error.message = "listener " + listener.name + ": " + error.message;
  if (error.code == EACCES) {
    error.message += "; ports below 1024 need root or CAP_NET_BIND_SERVICE";
  } else if (error.code == EADDRINUSE) {
    error.message += "; stop what listens there or choose another port";
  }
  return error;
}

}  // namespace

class Worker::Impl {
 public:
  Impl(const Config& config, state::Region region, Log& log)
      : config_(config), region_(std::move(region)), log_(log) {}

  [[nodiscard]] Result<void> open_listeners(unsigned threads) {
    for (const auto& listener : config_.listeners) {
      for (const auto& bind : listener.bind) {
        auto address = resolve_bind(bind.endpoint);
        auto sockets = address.and_then([&](const SocketAddress& resolved) {
          return ListeningSockets::open(resolved, threads);
        });
        if (!sockets) {
          return tl::unexpected(explain(sockets.error(), listener));
        }
        log_.info("listening", {{"listener", listener.name},
                                {"address", sockets->address().to_string()},
                                {"pool", listener.pool}});
        sockets_[listener.name].push_back(std::move(*sockets));
      }
    }
    return {};
  }

  void make_threads(const DescriptorBudget& budget, unsigned threads) {
    pools_ = make_pools(config_, shared(), log_);
    for (unsigned thread = 0; thread < threads; ++thread) {
      relays_.push_back(std::make_unique<RelayThread>(
          relay::RelayOptions{
              .thread = thread,
              .max_connections = budget.max_connections,
              .max_pipes = budget.pipes / threads,
              .max_large_pipes = std::min(kLargePipesEach, kMostLargePipes / threads),
              .connection_log = config_.log.connections},
          shared(), region_.records(thread), log_));
      for (std::size_t index = 0; index < config_.listeners.size(); ++index) {
        relays_.back()->listen(listener_for(static_cast<std::uint16_t>(index), thread));
      }
    }
  }

  void run(const WorkerEvents& events) {
    ControlThread control(config_, pools_, relays_, shared(), events, log_);
    for (const auto& relay : relays_) {
      relay->start();
    }
    control.run();
    relays_.clear();
    log_.info("stopped");
  }

  [[nodiscard]] state::SharedState& shared() const { return region_.shared(); }

 private:
  static Result<SocketAddress> resolve_bind(const Endpoint& endpoint) {
    auto numeric = SocketAddress::from(endpoint);
    if (numeric) {
      return numeric;
    }
    return discovery::resolve({endpoint.host})
        .at(endpoint.host)
        .map([&](const SocketAddress& address) { return address.with_port(endpoint.port); });
  }

  relay::ListenerSockets listener_for(std::uint16_t index, unsigned thread) {
    const auto& config = config_.listeners[index];
    shared().listeners[index].name = state::to_name(config.name);
    relay::ListenerSockets listener{.index = index,
                                    .name = config.name,
                                    .pool = pool_named(config.pool),
                                    .idle_timeout = config.idle_timeout,
                                    .half_close_timeout = config.half_close_timeout,
                                    .sockets = {}};
    for (auto& sockets : sockets_[config.name]) {
      listener.sockets.push_back(sockets.take(thread));
    }
    return listener;
  }

  [[nodiscard]] pool::Pool* pool_named(const std::string& name) const {
    const auto found =
        std::ranges::find_if(pools_, [&](const auto& pool) { return pool->name() == name; });
    assert(found != pools_.end() && "validated");
    return found->get();
  }

  Config config_;
  state::Region region_;
  Log& log_;
  std::map<std::string, std::vector<ListeningSockets>> sockets_;  // by listener
  std::vector<std::unique_ptr<pool::Pool>> pools_;
  std::vector<std::unique_ptr<RelayThread>> relays_;
};

Result<std::unique_ptr<Worker>> Worker::create(const Config& config, Log& log) {
  // A write to a socket whose peer is gone is an outcome, not a signal; splice(2) has no
  // MSG_NOSIGNAL (scar 10).
  std::signal(SIGPIPE, SIG_IGN);
  const unsigned threads = count_threads(config);
  const auto budget = plan(config, threads);
  if (!budget) {
    return tl::unexpected(budget.error());
  }
  auto region = state::Region::create(threads, budget->max_connections);
  if (!region) {
    return tl::unexpected(region.error());
  }
  auto impl = std::make_unique<Impl>(config, std::move(*region), log);
  if (auto opened = impl->open_listeners(threads); !opened) {
    return tl::unexpected(opened.error());
  }
  impl->make_threads(*budget, threads);
  impl->shared().started_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
  log.info("limits", {{"threads", threads},
                      {"max_connections", budget->max_connections},
                      {"pipes", budget->pipes}});
  return std::unique_ptr<Worker>(new Worker(std::move(impl)));
}

Worker::Worker(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Worker::~Worker() = default;

void Worker::run(const WorkerEvents& events) {
  impl_->run(events);
}

const state::SharedState& Worker::shared() const {
  return impl_->shared();
}

}  // namespace holdfast::worker
