#pragma once

#include <vector>

#include "holdfast/base/log.h"
#include "holdfast/loop/loop.h"
#include "holdfast/pool/pool.h"
#include "holdfast/state/shared_state.h"
#include "relay/deadlines.h"
#include "relay/pump.h"

namespace holdfast::relay {

// What the sessions of one relay thread have in common. Owned by the Relay.
struct Context {
  loop::Loop& loop;
  state::SharedState& shared;
  state::ThreadState& counters;
  PumpTools pump_tools;
  Deadlines& deadlines;
  Log& log;
  ConnectionLog connection_log;
  LogLimit log_limit;  // of connection lines about failures
};

// What the sessions of one listener on this thread have in common.
struct Service {
  std::uint16_t listener;
  std::string listener_name;
  pool::Pool& pool;
  DeadlineList& connect_deadline;
  DeadlineList& idle_deadline;
  DeadlineList& half_close_deadline;
  Duration half_close_timeout;
};

}  // namespace holdfast::relay
