#include "crowd/crowd.h"

#include "cli/load_thread.h"
#include "crowd/bulk_clients.h"
#include "crowd/busy_clients.h"
#include "crowd/idle_clients.h"
#include "crowd/loop_thread.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kForEver = 24h;
constexpr auto kLook = 5ms;

template <class Condition>
void wait_until(Condition condition) {
  while (!condition()) {
    std::this_thread::sleep_for(kLook);
  }
}

// Written by the thread of the new connections until it has ended.
struct NewConnections {
  std::uint64_t attempted = 0;
  std::uint64_t failed = 0;
  std::map<std::string, std::uint64_t> reasons;
  cli::Latencies waits;

  void add(const cli::FinishedRequest& request) {
    ++attempted;
    if (request.outcome == cli::Outcome::answered) {
      waits.add(request.latency());
    } else {
      ++failed;
      ++reasons[std::string(to_string(request.outcome))];
    }
  }
};

}  // namespace

struct Crowd::Parts {
  explicit Parts(const CrowdOptions& wanted)
      : options(wanted), idle(idle_thread.loop(), wanted), bulk(bulk_thread.loop(), wanted) {}

  CrowdOptions options;
  LoopThread idle_thread;
  LoopThread busy_thread;
  LoopThread bulk_thread;
  IdleClients idle;
  std::unique_ptr<BusyClients> busy;
  BulkClients bulk;
  NewConnections fresh;
  std::unique_ptr<cli::LoadThread> fresh_thread;  // none at a rate of 0
};

Result<std::unique_ptr<Crowd>> Crowd::start(const CrowdOptions& options) {
  auto parts = std::make_unique<Parts>(options);
  auto busy = BusyClients::make(parts->busy_thread.loop(), options);
  if (!busy) {
    return tl::unexpected(busy.error());
  }
  parts->busy = std::move(*busy);
  if (options.new_rate > 0) {
    const cli::LoadOptions load{.target = options.target,
                                .rate = options.new_rate,
                                .duration = kForEver,
                                .timeout = options.timeout};
    auto fresh = cli::LoadThread::start(
        load, [&fresh = parts->fresh](const auto& request) { fresh.add(request); });
    if (!fresh) {
      return tl::unexpected(fresh.error());
    }
    parts->fresh_thread = std::move(*fresh);
  }
  parts->idle.start();
  parts->busy->start();
  parts->bulk.start();
  parts->idle_thread.start();
  parts->busy_thread.start();
  parts->bulk_thread.start();
  return std::unique_ptr<Crowd>(new Crowd(std::move(parts)));
}

Crowd::Crowd(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Crowd::~Crowd() {
  // What is on the loops goes after they have stopped.
  parts_->fresh_thread.reset();
  parts_->idle_thread.stop();
  parts_->busy_thread.stop();
  parts_->bulk_thread.stop();
}

bool Crowd::is_ready() const {
  return parts_->idle.is_ready() && parts_->busy->is_ready() && parts_->bulk.is_ready();
}

CrowdResult Crowd::finish() {
  auto& parts = *parts_;
  parts.fresh_thread.reset();
  parts.bulk_thread.post([&] { parts.bulk.finish(); });
  wait_until([&] { return parts.bulk.is_finished(); });
  parts.bulk_thread.stop();
  parts.idle_thread.post([&] { parts.idle.finish(); });
  wait_until([&] { return parts.idle.is_finished(); });
  parts.idle_thread.stop();
  parts.busy_thread.post([&] { parts.busy->finish(); });
  wait_until([&] { return parts.busy->is_finished(); });
  parts.busy_thread.stop();

  CrowdResult result;
  result.idle = parts.idle.losses();
  result.busy = parts.busy->losses();
  result.downloads = parts.bulk.downloads();
  result.uploads = parts.bulk.uploads();
  result.new_attempted = parts.fresh.attempted;
  result.new_failed = parts.fresh.failed;
  result.new_reasons = parts.fresh.reasons;
  result.new_waits = parts.fresh.waits;
  result.transfers = parts.bulk.finished_transfers();
  result.bulk_bytes = parts.bulk.bytes();
  const auto& waits = parts.busy->waits();
  for (const auto& each : waits) {
    result.requests += each.size();
  }
  result.failed_requests = parts.busy->failed_requests();
  result.waits = all_waits(waits, parts.options.busy_interval);
  result.late = sent_late(waits);
  result.stalls = stalls(waits, events_, parts.options.window);
  return result;
}

}  // namespace holdfast::bench
