#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "holdfast/balance/balance.h"
#include "holdfast/base/clock.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/config/config.h"
#include "holdfast/pool/queue.h"
#include "holdfast/pool/racing.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::pool {

struct MaglevTables;

// One backend as the threads see it: what doesn't change. What does (health, weight, active
// connections) is in its entry of the shared state, under the same index.
struct Backend {
  std::uint16_t index = 0;
  std::string name;
  std::optional<SocketAddress> address;  // nothing: its name didn't resolve, and it is down
  std::optional<SocketAddress> check_address = std::nullopt;  // checked there instead, if anywhere
  unsigned tier = 0;
  unsigned max_connections = 0;  // 0: no limit
  std::uint64_t identity = 0;    // a hash of its name; the pool's matter
};

// Who asks for a backend.
struct PickRequest {
  std::span<const std::uint16_t> tried = {};  // backends that didn't answer this client
  std::uint64_t client = 0;                   // a hash of what it is recognised by
  TimePoint now{};
};

// What came of asking for a backend or else a place in the queue.
enum class Joined : std::uint8_t {
  waits,          // the ticket is in the queue, and its turn will come
  no_backend,     // none is left to try
  backends_full,  // all that serve have their max_connections, and there is no queue
  queue_full,
};

// Which backends new connections may go to, as far as health and tiers say.
struct Reach {
  unsigned tier = kMaxTier;  // these and all below
  bool panics = false;       // those that are down as well

  bool operator==(const Reach&) const = default;
};

// The backends behind a listener, one view for all threads: what one thread sees down or busy,
// every thread does at its next pick. Shared by the worker and the sessions. Thread-safe.
class Pool {
 public:
  // `predecessor`: the pool with the same index before the configuration changed, if there is one.
  // Sessions may still pick from it; both take turns in the same entries and have one queue.
  // `seed`: of what is left to chance.
  Pool(const PoolConfig& config, std::uint16_t index, std::vector<Backend> backends,
       state::SharedState& shared, const Pool* predecessor = nullptr, std::uint64_t seed = 0);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A backend that serves and isn't among those tried, already counted as active; the caller owes a
  // release(). nullptr when there is none, or none for somebody who didn't wait.
  [[nodiscard]] const Backend* pick(const PickRequest& request);
  void release(std::uint16_t backend);

  // For whom pick() had nobody: takes its place in the queue, if that is all there is to do.
  // `exceeds`: it had been let in before, so that the queue's size is no matter.
  [[nodiscard]] Joined join(Ticket& ticket, bool exceeds, TimePoint now);
  // For who was in the queue of a worker that died: goes on waiting, even if all are down or a
  // reload has taken the queue away. Turned away only where there will never be a place.
  [[nodiscard]] Joined rejoin(Ticket& ticket);
  // False when its turn came meanwhile: it has been told of a backend, and owes a release().
  [[nodiscard]] bool leave(Ticket& ticket);

  // Gives those who wait what is free. After anything but a release made a place free.
  void serve_waiting();
  // Nobody is served from the queue until open(): a successor's threads first put into it who was
  // in it, each its own.
  void hold();
  void open();

  // From now on this pool, and none before it, is who serves the queue they have in common.
  static void put_in_force(const std::shared_ptr<Pool>& pool);

  // Makes the tables anew if weights have changed. Takes milliseconds for maglev: never on a relay
  // thread. Before the first pick, and now and then.
  void update();

  // Backends that take new connections now.
  [[nodiscard]] std::size_t serving() const;
  [[nodiscard]] Reach reach() const;
  // Whether a backend that a client was given may still be given to one: it serves, or all are
  // tried in a panic. It may be one that only a successor knows, whose queue it came from.
  [[nodiscard]] bool is_in_use(std::uint16_t backend) const;

  // A connection says that a backend fails (pool/ejection): how long it is ejected for, if that
  // takes it out.
  [[nodiscard]] std::optional<Duration> report_failure(std::uint16_t backend, TimePoint now);
  // A connection, or a check, says that it works: whether it is back by that.
  [[nodiscard]] bool report_success(std::uint16_t backend);
  [[nodiscard]] bool report_check_passed(std::uint16_t backend, TimePoint now);
  // Checks have taken it out too, and decide from now on.
  void report_down(std::uint16_t backend, TimePoint now);
  // It has been out for long enough: a check may take it back in.
  [[nodiscard]] bool is_check_due(std::uint16_t backend, TimePoint now) const;

  // How long connects take here, and how many more may be begun than clients ask for.
  [[nodiscard]] Racing& racing() const { return *racing_; }

  [[nodiscard]] const std::string& name() const { return config_.name; }
  [[nodiscard]] std::uint16_t index() const { return index_; }
  [[nodiscard]] const PoolConfig& config() const { return config_; }
  [[nodiscard]] std::span<const Backend> backends() const { return backends_; }
  [[nodiscard]] state::BackendEntry& entry(const Backend& backend) const {
    return shared_.backends[backend.index];
  }

 private:
  // What successive pools of one index have in common. In process memory, not in the region: a
  // lock dies with its holder.
  struct Common {
    explicit Common(std::uint64_t seed) : random(seed) {}

    // Picks are serialised: two threads can't both take the last place of a round or of a backend,
    // or see the same least loaded one.
    std::mutex mutex;
    Queue queue;
    bool held = false;
    std::weak_ptr<Pool> in_force;
    balance::Random random;
  };

  [[nodiscard]] bool is_serving(const Backend& backend) const;
  [[nodiscard]] bool is_healthy(const state::BackendEntry& state) const;
  [[nodiscard]] bool may_eject(std::uint16_t backend) const;
  [[nodiscard]] bool is_full(const Backend& backend) const;
  [[nodiscard]] bool is_usable(const Backend& backend, const PickRequest& request,
                               Reach reach) const;

  // With the mutex held:
  [[nodiscard]] const Backend* take(const PickRequest& request);
  [[nodiscard]] const Backend* choose(const PickRequest& request, Reach reach);
  [[nodiscard]] const Backend* choose_from_list(const PickRequest& request, Reach reach);
  [[nodiscard]] const Backend* choose_first(const PickRequest& request, Reach reach);
  [[nodiscard]] const Backend* choose_by_table(const PickRequest& request, Reach reach);
  [[nodiscard]] bool has_any(const PickRequest& request) const;
  bool welcome_back(std::uint16_t backend, TimePoint now);
  void serve();
  void serve_from_here();
  void count_waiting();

  PoolConfig config_;
  std::uint16_t index_;
  std::vector<Backend> backends_;
  unsigned highest_tier_ = 0;
  bool always_same_reach_ = true;  // one tier and no panic: nobody needs to be counted
  state::SharedState& shared_;

  std::shared_ptr<Common> common_;
  // Guarded by the mutex:
  std::uint32_t heaviest_ = 1;
  std::shared_ptr<const MaglevTables> tables_;
  std::vector<balance::Candidate> candidates_;  // scratch
  std::vector<const Backend*> candidate_backends_;
  std::shared_ptr<Racing> racing_;  // over changes of the configuration the same
};

}  // namespace holdfast::pool
