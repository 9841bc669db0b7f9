#include "relay/pump.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>

#include "holdfast/base/fault.h"
#include "relay/copy_channel.h"
#include "relay/splice_channel.h"

namespace holdfast::relay {
namespace {

using state::FlowRecord;
using state::FlowState;
using Outcome = Transfer::Outcome;

// Moved per call before other connections get their turn.
constexpr std::size_t kBudget = 1 << 20;
constexpr std::size_t kCopy = 64 * 1024;
constexpr std::size_t kBulkRead = 60 * 1024;  // a small pipe, filled
// A read that brought less has emptied the socket, near enough: the poll is level-triggered, so
// stopping there loses nothing and saves a system call that would say EAGAIN.
constexpr std::size_t kShortRead = 16 * 1024;

bool has_pipe(const FlowRecord& flow) {
  return flow.pipe_read >= 0;
}

// The record names the pipe before a byte goes into it.
bool borrow_pipe(FlowRecord& flow, PipePool& pipes) {
  if (!has_pipe(flow)) {
    const Pipe pipe = pipes.borrow(flow.bulk);
    flow.pipe_write = pipe.write;
    HOLDFAST_FAULT_POINT(pump_pipe_half_named);
    flow.pipe_read = pipe.read;
    HOLDFAST_FAULT_POINT(pump_pipe_named);
  }
  return has_pipe(flow);
}

Pipe take_pipe(FlowRecord& flow) {
  const Pipe pipe{flow.pipe_read, flow.pipe_write};
  flow.pipe_read = -1;
  HOLDFAST_FAULT_POINT(pump_pipe_half_returned);
  flow.pipe_write = -1;
  HOLDFAST_FAULT_POINT(pump_pipe_unnamed);
  return pipe;
}

void return_pipe(FlowRecord& flow, PipePool& pipes) {
  assert(flow.held == 0);
  if (has_pipe(flow)) {
    pipes.give_back(take_pipe(flow));
    HOLDFAST_FAULT_POINT(pump_pipe_returned);
  }
}

void begin_copying(FlowRecord& flow, Witness* witness) {
  if (witness != nullptr) {
    witness->on_copy(flow);
  }
  flow.copying = true;
}

// Pipe to sink until the pipe is empty (`moved`) or the sink stops it.
Outcome drain(FlowRecord& flow, int sink, PumpTools& tools, Witness* witness) {
  while (flow.held > 0) {
    flow.in_copy = flow.copying;
    auto step = flow.copying
                    ? copy_out(flow.pipe_read, flow.pipe_write, sink, flow.held, tools.scratch)
                    : splice_out(flow.pipe_read, sink, flow.held);
    flow.in_copy = false;
    if (step.outcome == Outcome::unsupported) {
      begin_copying(flow, witness);
      continue;
    }
    if (step.outcome != Outcome::moved) {
      return step.outcome;
    }
    HOLDFAST_FAULT_POINT(pump_spliced_out);
    flow.held -= static_cast<std::uint32_t>(step.bytes);
    HOLDFAST_FAULT_POINT(pump_held_reduced);
    flow.delivered += step.bytes;
    HOLDFAST_FAULT_POINT(pump_delivered);
  }
  return Outcome::moved;
}

// One read from the source: into the pipe, or, where there is none, straight to the sink.
Transfer take(FlowRecord& flow, int source, int sink, bool copy_once, PumpTools& tools,
              Witness* witness) {
  if (!flow.copying && !copy_once && borrow_pipe(flow, tools.pipes)) {
    const auto step = splice_in(source, flow.pipe_write, kBudget);
    if (step.outcome != Outcome::unsupported) {
      HOLDFAST_FAULT_POINT(pump_spliced_in);
      flow.held += static_cast<std::uint32_t>(step.bytes);
      HOLDFAST_FAULT_POINT(pump_held_noted);
      if (step.outcome == Outcome::moved) {
        flow.bulk = step.bytes >= kBulkRead;
        if (witness != nullptr) {
          witness->on_taken(flow);
        }
      }
      return step;
    }
    begin_copying(flow, witness);
  } else if (witness != nullptr) {
    // Looking whether there is anything to copy is no copy.
    if (const auto seen = look(source); seen.outcome != Outcome::moved) {
      return seen;
    }
    if (copy_once && !flow.copying) {
      // They may have come since splice(2) found none; what it can't get past is an urgent mark.
      const auto again = take(flow, source, sink, false, tools, witness);
      if (again.outcome != Outcome::source_blocked) {
        return again;
      }
    }
    witness->on_copy(flow);
  }
  flow.in_copy = true;
  HOLDFAST_FAULT_POINT(pump_copy_begins);
  const auto step = copy_across(source, sink, tools.scratch.first(kCopy));
  HOLDFAST_FAULT_POINT(pump_copied);
  flow.in_copy = false;
  HOLDFAST_FAULT_POINT(pump_copy_ended);
  flow.delivered += step.bytes;
  return step;
}

}  // namespace

PumpStop pump(FlowRecord& flow, int source, int sink, bool source_ready, PumpTools& tools,
              Witness* witness) {
  std::size_t budget = kBudget;
  bool copy_once = false;
  for (;;) {
    const auto drained = drain(flow, sink, tools, witness);
    if (drained != Outcome::moved) {
      assert(drained == Outcome::sink_blocked || drained == Outcome::sink_reset);
      return drained == Outcome::sink_blocked ? PumpStop::sink_blocked : PumpStop::sink_reset;
    }
    if (flow.state != FlowState::open || budget == 0) {
      break;
    }
    if (flow.bulk) {
      return_pipe(flow, tools.pipes);  // and borrow a larger one, if there is any
    }
    const auto step = take(flow, source, sink, copy_once, tools, witness);
    switch (step.outcome) {
      case Outcome::moved:
        source_ready = false;
        budget -= std::min(budget, step.bytes);
        if (step.bytes < kShortRead) {
          budget = 0;
        }
        continue;
      case Outcome::source_eof:
        flow.state = FlowState::source_eof;
        HOLDFAST_FAULT_POINT(pump_eof_noted);
        continue;
      case Outcome::source_blocked:
        if (source_ready && !copy_once && !flow.copying) {
          copy_once = true;
          continue;
        }
        return_pipe(flow, tools.pipes);
        return PumpStop::source_blocked;
      case Outcome::sink_blocked:
        return_pipe(flow, tools.pipes);
        return PumpStop::sink_blocked;
      case Outcome::source_reset:
        return_pipe(flow, tools.pipes);
        return PumpStop::source_reset;
      case Outcome::sink_reset:
        return_pipe(flow, tools.pipes);
        return PumpStop::sink_reset;
      case Outcome::unsupported:
        break;
    }
    std::abort();  // take() falls back to copying itself
  }
  return_pipe(flow, tools.pipes);
  return flow.state == FlowState::open ? PumpStop::budget_spent : PumpStop::finished;
}

void abort_flow(FlowRecord& flow, PumpTools& tools) {
  flow.state = FlowState::aborted;
  HOLDFAST_FAULT_POINT(pump_aborted);
  if (!has_pipe(flow)) {
    return;
  }
  const Pipe pipe = take_pipe(flow);
  if (flow.held > 0) {
    flow.held = 0;
    tools.pipes.discard(pipe);
    HOLDFAST_FAULT_POINT(pump_pipe_discarded);
  } else {
    tools.pipes.give_back(pipe);
  }
}

}  // namespace holdfast::relay
