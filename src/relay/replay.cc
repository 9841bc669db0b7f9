#include "relay/replay.h"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>

#include "holdfast/base/fault.h"

namespace holdfast::relay {

using state::ConnectionState;
using state::FlowRecord;
using state::FlowState;
using state::ReplayState;
using state::ResetBy;

void Replay::begin() {
  if (up_to_ == 0) {
    record_.replay = ReplayState::over;
  }
}

Witness* Replay::witness() {
  return record_.replay == ReplayState::over ? nullptr : this;
}

std::size_t Replay::kept() const {
  return record_.to_backend.delivered + record_.to_backend.held;
}

bool Replay::is_possible() const {
  const auto& to_backend = record_.to_backend;
  // Where the client has said nothing and that it won't, there is nothing to repeat.
  const bool is_asked =
      kept() > 0 || to_backend.state == FlowState::open || to_backend.state == FlowState::aborted;
  return record_.replay != ReplayState::over && record_.reset != ResetBy::client &&
         record_.to_client.delivered == 0 && record_.to_client.held == 0 && is_asked;
}

void Replay::on_taken(FlowRecord& flow) {
  if (&flow == &record_.to_client || kept() > up_to_ || !borrow_pipe()) {
    stop();
    return;
  }
  const auto copied = ::tee(flow.pipe_read, record_.keep_write, flow.held, SPLICE_F_NONBLOCK);
  HOLDFAST_FAULT_POINT(replay_kept);
  if (copied != static_cast<ssize_t>(flow.held) && !keep_in_a_roomier_pipe(flow)) {
    stop();
  }
}

void Replay::on_copy(FlowRecord&) {
  stop();
}

// The keeping pipe had no slots left for all of what was just taken. A client that sends little at
// a time, or a network of small packets, fills those long before its bytes are many.
bool Replay::keep_in_a_roomier_pipe(const FlowRecord& flow) {
  const Pipe pipe = pipes_.borrow_roomy(true);
  if (!pipe.is_open()) {
    return false;
  }
  const std::size_t before = kept() - flow.held;
  if (::tee(record_.keep_read, pipe.write, before, SPLICE_F_NONBLOCK) !=
          static_cast<ssize_t>(before) ||
      ::tee(flow.pipe_read, pipe.write, flow.held, SPLICE_F_NONBLOCK) !=
          static_cast<ssize_t>(flow.held)) {
    pipes_.reclaim(pipe);
    return false;
  }
  // The end from which it is sent again comes first: a successor that finds ends of two pipes does
  // without the other one (recovery).
  const Pipe old{record_.keep_read, record_.keep_write};
  record_.keep_read = pipe.read;
  HOLDFAST_FAULT_POINT(replay_keeping_half_moved);
  record_.keep_write = pipe.write;
  HOLDFAST_FAULT_POINT(replay_keeping_moved);
  give_back(old);
  return true;
}

bool Replay::borrow_pipe() {
  if (record_.replay == ReplayState::keeping) {
    return true;
  }
  const Pipe pipe = pipes_.borrow(false);
  if (!pipe.is_open()) {
    return false;
  }
  record_.keep_write = pipe.write;
  HOLDFAST_FAULT_POINT(replay_pipe_half_named);
  record_.keep_read = pipe.read;
  HOLDFAST_FAULT_POINT(replay_pipe_named);
  record_.replay = ReplayState::keeping;
  HOLDFAST_FAULT_POINT(replay_begins_to_keep);
  return true;
}

void Replay::stop() {
  if (record_.replay == ReplayState::over) {
    return;
  }
  // First: a byte of the backend may be with the client in the next moment.
  record_.replay = ReplayState::over;
  HOLDFAST_FAULT_POINT(replay_over);
  const Pipe pipe{record_.keep_read, record_.keep_write};
  record_.keep_read = -1;
  HOLDFAST_FAULT_POINT(replay_pipe_half_unnamed);
  record_.keep_write = -1;
  if (pipe.is_open()) {
    give_back(pipe);
    HOLDFAST_FAULT_POINT(replay_pipe_returned);
  }
}

// What a successor has come into may have one end only.
void Replay::give_back(Pipe pipe) {
  if (pipe.write < 0) {
    pipes_.discard(pipe);
  } else {
    pipes_.reclaim(pipe);
  }
}

// Whichever of taking, keeping and passing on was the last to be done: each is done in turn, for
// all bytes in the flow's pipe, which was empty before.
void Replay::resume() {
  auto& flow = record_.to_backend;
  if (record_.replay == ReplayState::over) {
    return;
  }
  const bool is_answered = record_.to_client.delivered > 0 || record_.to_client.held > 0;
  if (up_to_ == 0 || is_answered) {
    stop();  // up_to is 0 where a reload has taken replay away
    return;
  }
  int found = 0;
  if (record_.replay == ReplayState::keeping && ::ioctl(record_.keep_read, FIONREAD, &found) != 0) {
    stop();
    return;
  }
  const auto in_pipe = static_cast<std::uint64_t>(found);
  if (flow.held > 0 && in_pipe == flow.delivered) {
    on_taken(flow);  // taken, and not kept
  } else if (in_pipe >= flow.delivered + flow.held) {
    flow.delivered = in_pipe - flow.held;
  } else {
    stop();  // there wasn't enough room
  }
}

// An empty pipe after that is none: there was no room for all of it.
Pipe Replay::copy(std::size_t bytes) {
  for (const bool roomy : {false, true}) {
    const Pipe pipe = roomy ? pipes_.borrow_roomy(false) : pipes_.borrow(false);
    if (!pipe.is_open()) {
      return {};
    }
    const auto copied = ::tee(record_.keep_read, pipe.write, bytes, SPLICE_F_NONBLOCK);
    if (copied == static_cast<ssize_t>(bytes)) {
      return pipe;
    }
    pipes_.reclaim(pipe);
  }
  return {};
}

bool Replay::rewind() {
  const auto bytes = kept();
  const Pipe pipe = bytes > 0 ? copy(bytes) : Pipe{};
  if (bytes > 0 && !pipe.is_open()) {
    return false;
  }
  HOLDFAST_FAULT_POINT(replay_copied);
  record_.state = ConnectionState::connecting;
  HOLDFAST_FAULT_POINT(replay_connecting);
  record_.replayed = static_cast<std::uint32_t>(
      std::max<std::uint64_t>(record_.replayed, record_.to_backend.delivered));
  for (auto* flow : {&record_.to_backend, &record_.to_client}) {
    const Pipe old{flow->pipe_read, flow->pipe_write};
    flow->pipe_read = -1;
    HOLDFAST_FAULT_POINT(replay_old_pipe_half_unnamed);
    flow->pipe_write = -1;
    if (old.is_open()) {
      pipes_.reclaim(old);
    }
  }
  HOLDFAST_FAULT_POINT(replay_old_pipe_returned);
  begin_flows_again(pipe, bytes);
  return true;
}

bool Replay::rewind_again() {
  int bytes = 0;
  Pipe pipe;
  if (record_.replay == ReplayState::keeping) {
    if (::ioctl(record_.keep_read, FIONREAD, &bytes) != 0) {
      return false;
    }
    if (bytes > 0) {
      pipe = copy(static_cast<std::size_t>(bytes));
      if (!pipe.is_open()) {
        return false;
      }
    }
  }
  begin_flows_again(pipe, static_cast<std::size_t>(bytes));
  return true;
}

// The client's FIN, if there was one, will be read again.
void Replay::begin_flows_again(Pipe pipe, std::size_t bytes) {
  record_.reset = ResetBy::nobody;
  record_.to_client = {};
  record_.to_backend = {};
  record_.to_backend.pipe_write = pipe.write;
  HOLDFAST_FAULT_POINT(replay_new_pipe_half_named);
  record_.to_backend.pipe_read = pipe.read;
  record_.to_backend.held = static_cast<std::uint32_t>(bytes);
  HOLDFAST_FAULT_POINT(replay_rewound);
}

}  // namespace holdfast::relay
