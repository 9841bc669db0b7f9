#pragma once

#include <map>
#include <vector>

#include "holdfast/base/clock.h"
#include "holdfast/base/log.h"
#include "holdfast/loop/loop.h"
#include "holdfast/loop/mailbox.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/connection_table.h"
#include "holdfast/state/shared_state.h"
#include "relay/deadlines.h"
#include "relay/pump.h"

namespace holdfast::relay {

// What the sessions of one relay thread have in common. Owned by the Relay.
struct Context {
  loop::Loop& loop;
  state::SharedState& shared;
  state::ThreadState& counters;
  state::ConnectionTable& table;
  PumpTools pump_tools;
  Deadlines& deadlines;
  loop::Mailbox& mailbox;  // from other threads to the sessions of this one
  Log& log;
  ConnectionLog connection_log;
  LogLimit log_limit;  // of connection lines about failures
  std::map<std::uint16_t, LogLimit> local_trouble_limits = {};  // by pool

  [[nodiscard]] std::string_view backend_name(std::uint16_t backend) const {
    return backend == state::kNoBackend ? "none" : state::to_view(shared.backends[backend].name);
  }
};

// Notes in shared memory which connection is being worked on, for as long as this lives: if the
// worker dies meanwhile, its successor knows of what. And that the thread gets on: one turn of the
// loop may have thousands of connections with bytes to move, and take longer than the watchdog
// waits for its timer.
class Handling {
 public:
  Handling(Context& context, const state::ConnectionRecord& record)
      : handling_(context.counters.handling) {
    handling_.set(context.table.index(record) + 1);
    context.counters.heartbeat.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
  }
  ~Handling() { handling_.set(0); }
  Handling(const Handling&) = delete;

 private:
  state::Gauge& handling_;
};

// What the sessions of one listener on this thread have in common. Never changed: a listener that
// is configured anew gets another one, and the last session of the old takes that along.
struct Service {
  std::uint16_t listener;
  std::string listener_name;
  std::shared_ptr<pool::Pool> pool;
  DeadlineList& connect_deadline;        // of one attempt
  DeadlineList& connect_total_deadline;  // of all
  DeadlineList& idle_deadline;
  DeadlineList& half_close_deadline;
  Duration half_close_timeout;
};

}  // namespace holdfast::relay
