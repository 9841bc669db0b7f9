#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "holdfast/balance/balance.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/config/config.h"
#include "holdfast/pool/racing.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::pool {

// One backend as the threads see it: what doesn't change. What does (health, weight, active
// connections) is in its entry of the shared state, under the same index.
struct Backend {
  std::uint16_t index = 0;
  std::string name;
  std::optional<SocketAddress> address;  // nothing: its name didn't resolve, and it is down
};

// The backends behind a listener, one view for all threads: what one thread sees down or busy,
// every thread does at its next pick. Shared by the worker and the sessions. Thread-safe.
class Pool {
 public:
  // `predecessor`: the pool with the same index before the configuration changed, if there is one.
  // Sessions may still pick from it, and both take turns in the same entries.
  Pool(const PoolConfig& config, std::uint16_t index, std::vector<Backend> backends,
       state::SharedState& shared, const Pool* predecessor = nullptr);

  // A backend that serves and isn't among `tried`, already counted as active; the caller owes a
  // release(). nullptr when there is none.
  [[nodiscard]] const Backend* pick(std::span<const std::uint16_t> tried);
  void release(std::uint16_t backend) { shared_.backends[backend].active.decrement(); }

  // Backends that take new connections now.
  [[nodiscard]] std::size_t serving() const;
  // Whether this one of them does.
  [[nodiscard]] bool is_serving(std::uint16_t backend) const;

  // A connection says that a backend fails (pool/ejection): how long it is ejected for, if that
  // takes it out.
  [[nodiscard]] std::optional<Duration> report_failure(std::uint16_t backend, TimePoint now);
  // A connection, or a check, says that it works: whether it is back by that.
  [[nodiscard]] bool report_success(std::uint16_t backend);
  [[nodiscard]] bool report_check_passed(std::uint16_t backend, TimePoint now);
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
  [[nodiscard]] bool is_serving(const Backend& backend) const;
  [[nodiscard]] bool is_admitted(const state::EjectionRecord& ejection) const;
  [[nodiscard]] bool may_eject(std::uint16_t backend) const;

  PoolConfig config_;
  std::uint16_t index_;
  std::vector<Backend> backends_;
  state::SharedState& shared_;

  // Picks are serialised: two threads can't both take the last place of a round or see the same
  // least loaded backend. In process memory, not in the region: a lock dies with its holder.
  std::shared_ptr<std::mutex> mutex_;
  std::vector<balance::Candidate> candidates_;  // scratch, guarded by mutex_
  std::vector<const Backend*> candidate_backends_;
  std::shared_ptr<Racing> racing_;  // over changes of the configuration the same
};

}  // namespace holdfast::pool
