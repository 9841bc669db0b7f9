#include "holdfast/worker/worker.h"

#include <sched.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <latch>
#include <set>

#include "holdfast/base/fault.h"
#include "holdfast/discovery/resolver.h"
#include "holdfast/state/region.h"
#include "worker/control_thread.h"
#include "worker/crash_report.h"
#include "worker/descriptor_budget.h"
#include "worker/listening_sockets.h"
#include "worker/recovery.h"
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

unsigned most_connections() {
  return static_cast<unsigned>(std::clamp<std::size_t>(raise_descriptor_limit() / 2, 1, 1'000'000));
}

class Worker::Impl {
 public:
  Impl(const Config& config, state::Region& region, Log& log)
      : config_(config), region_(region), log_(log), sockets_(region.shared()) {}

  // A worker that couldn't take over leaves the listening sockets to the next one.
  ~Impl() {
    if (!leaves_sockets_) {
      for (auto* socket : sockets_.all()) {
        sockets_.forget(*socket);
      }
    }
  }

  // Takes stock of what the worker before this one left, if there was one.
  void inherit(const std::set<int>& kept) {
    leaves_sockets_ = true;
    inheritance_ = take_over(region_, kept);
    unrecorded_ = inheritance_.unrecorded.size();
  }

  [[nodiscard]] Result<void> make_topology(bool keep_addresses) {
    auto made = worker::make_topology(config_, keep_addresses, shared(), log_);
    if (!made) {
      return tl::unexpected(made.error());
    }
    topology_ = std::move(*made);
    return {};
  }

  [[nodiscard]] Result<void> open_listeners(unsigned threads) {
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const auto& listener = config_.listeners[i];
      for (const auto& bind : listener.bind) {
        auto opened = resolve_bind(bind.endpoint).and_then([&](const SocketAddress& address) {
          return sockets_.open(topology_.listeners[i].index, address, threads);
        });
        if (!opened) {
          return tl::unexpected(explain(opened.error(), listener));
        }
        if (!opened->empty()) {
          log_.info("listening", {{"listener", listener.name},
                                  {"address", opened->front()->address.to_string()},
                                  {"pool", listener.pool}});
        }
      }
    }
    return {};
  }

  void make_threads(const DescriptorBudget& budget, unsigned threads) {
    const unsigned all = std::max(threads, inheritance_.threads);
    shared().threads.set(std::max(shared().threads.get(), all));
    for (unsigned thread = all; thread < shared().threads.get(); ++thread) {
      shared().per_thread[thread].heartbeat.set(0);  // of a worker that had more threads
    }
    for (unsigned thread = 0; thread < all; ++thread) {
      relays_.push_back(std::make_unique<RelayThread>(
          relay::RelayOptions{
              .thread = thread,
              .max_connections = budget.max_connections,
              .max_pipes = budget.pipes / threads,
              .max_large_pipes = std::min(kLargePipesEach, kMostLargePipes / threads),
              .connection_log = config_.log.connections},
          shared(), region_.records(thread), log_));
      for (const auto* listeners : {&topology_.listeners, &topology_.former}) {
        for (const auto& listener : *listeners) {
          relays_.back()->configure(listener);
        }
      }
    }
    // Sockets of threads that are configured no longer are served by those that are left.
    for (auto* socket : sockets_.all()) {
      socket->thread = static_cast<std::uint16_t>(socket->thread % threads);
      relays_[socket->thread]->listen(socket->listener, ListeningSockets::take(*socket));
    }
  }

  void run(const WorkerEvents& events) {
    ControlThread control(config_, topology_.pools, relays_, sockets_, shared(), events, log_);
    std::latch recovered(static_cast<std::ptrdiff_t>(relays_.size()));
    for (const auto& relay : relays_) {
      relay->recover(std::exchange(inheritance_.unrecorded, {}), recovered);
      relay->start();
    }
    recovered.wait();
    report_recovery();
    control.run();
    relays_.clear();
    leaves_sockets_ = false;
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

  void report_recovery() {
    auto& supervision = shared().supervision;
    if (supervision.generation.get() <= 1) {
      return;
    }
    const auto took =
        to_nanoseconds(Clock::now()) - static_cast<std::int64_t>(supervision.died_at.get());
    supervision.recovery_duration.observe(
        static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0)));
    const auto cause = static_cast<state::DeathCause>(
        std::min<std::uint32_t>(supervision.last_cause.get(), state::kDeathCauses - 1));
    log_.warning("worker took over", {{"cause", to_string(cause)},
                                      {"connections", inheritance_.connections},
                                      {"unrecorded", unrecorded_},
                                      {"quarantined", inheritance_.quarantined},
                                      {"took_ms", static_cast<double>(took) * 1e-6}});
  }

  Config config_;
  state::Region& region_;
  Log& log_;
  Inheritance inheritance_;
  std::size_t unrecorded_ = 0;
  Topology topology_;
  ListeningSockets sockets_;
  std::vector<std::unique_ptr<RelayThread>> relays_;
  bool leaves_sockets_ = false;
};

Result<std::unique_ptr<Worker>> Worker::create(const Config& config, state::Region& region,
                                               const Succession& succession, Log& log) {
  // A write to a socket whose peer is gone is an outcome, not a signal; splice(2) has no
  // MSG_NOSIGNAL (scar 10).
  std::signal(SIGPIPE, SIG_IGN);
  report_crashes(region.shared());
  HOLDFAST_FAULT_POINT(worker_starts);
  const unsigned threads = count_threads(config);
  const auto budget = plan(config, threads);
  if (!budget) {
    return tl::unexpected(budget.error());
  }
  auto impl = std::make_unique<Impl>(config, region, log);
  if (succession.takes_over) {
    impl->inherit(succession.kept);
  }
  if (auto made = impl->make_topology(succession.takes_over); !made) {
    return tl::unexpected(made.error());
  }
  // A worker that was stopping has given its listeners up.
  if (region.shared().supervision.ending.get() == 0) {
    if (auto opened = impl->open_listeners(threads); !opened) {
      return tl::unexpected(opened.error());
    }
  }
  impl->make_threads(*budget, threads);
  if (!succession.takes_over) {
    impl->shared().started_at.set(static_cast<std::uint64_t>(wall_clock_seconds() * 1000));
  }
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
