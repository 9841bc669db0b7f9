#pragma once

#include <cstdint>
#include <span>

#include "holdfast/state/connection_record.h"
#include "relay/pipe_pool.h"

namespace holdfast::relay {

// What a thread's pumps share. `scratch` has kScratchSize bytes.
struct PumpTools {
  PipePool& pipes;
  std::span<char> scratch;
};
inline constexpr std::size_t kScratchSize = kLargePipe;  // a whole pipe

// Is shown what a pump takes before it passes it on. Owned by the session.
class Witness {
 public:
  // Bytes were just taken from the flow's source; they are in its pipe and nowhere else.
  virtual void on_taken(state::FlowRecord& flow) = 0;
  // Bytes are about to get to the flow's sink without having been in its pipe.
  virtual void on_copy(state::FlowRecord& flow) = 0;

 protected:
  ~Witness() = default;
};

// Why a pump stopped, which is what to wait for or to do next.
enum class PumpStop : std::uint8_t {
  source_blocked,  // wait until the source is readable
  sink_blocked,    // wait until the sink is writable; the source isn't polled: back-pressure
  budget_spent,    // others' turn; wait until the source is readable, which it may well be
  finished,        // the source said FIN and all its bytes are out
  source_reset,    // all its bytes are out
  sink_reset,      // bytes may have been lost with the sink
};

// Moves one direction of a connection as far as it goes: first what is held, then more. It is
// told nothing about the other direction and keeps nothing but `flow`, so that it can be called
// again by whoever maps the record. A pipe stays borrowed only while bytes are in it.
//
// `source_ready` says that a poll called the source readable: should splice find nothing then,
// bytes are waiting that it can't move (an urgent mark stops it), and a copy gets past them.
// Without that, such a socket would wake its loop for ever.
[[nodiscard]] PumpStop pump(state::FlowRecord& flow, int source, int sink, bool source_ready,
                            PumpTools& tools, Witness* witness = nullptr);

// Ends a direction whose source or sink is gone: a pipe with bytes in it is discarded.
void abort_flow(state::FlowRecord& flow, PumpTools& tools);

}  // namespace holdfast::relay
