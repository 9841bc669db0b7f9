#include "relay/recovery.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"
#include "holdfast/state/shared_state.h"
#include "relay/ledger.h"

namespace holdfast::relay {
namespace {

using state::ConnectionRecord;
using state::ConnectionState;
using state::FlowRecord;
using state::FlowState;
using state::ReplayState;
using state::ResetBy;

// Of a client or a backend: one that listens is somebody else's.
bool is_stream(int fd) {
  int listening = 1;
  socklen_t size = sizeof listening;
  return fd > 2 && ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 &&
         listening == 0;
}

bool is_pipe(int fd) {
  struct stat file {};
  return fd > 2 && ::fstat(fd, &file) == 0 && S_ISFIFO(file.st_mode);
}

void close_pipe(std::int32_t& read, std::int32_t& write) {
  for (const int fd : {std::exchange(read, -1), std::exchange(write, -1)}) {
    if (is_pipe(fd)) {
      HOLDFAST_FAULT_POINT(recovery_pipe_half_closed);
      ::close(fd);
    }
  }
}

void close_pipe(FlowRecord& flow) {
  close_pipe(flow.pipe_read, flow.pipe_write);
}

bool is_one_pipe(int read, int write) {
  struct stat one {};
  struct stat other {};
  return ::fstat(read, &one) == 0 && ::fstat(write, &other) == 0 && one.st_ino == other.st_ino;
}

// The keeping pipe is there if the record says that it keeps, and only then. Where a worker died
// between two of them, all that was kept is in the one that can be read.
bool settle_keeping(ConnectionRecord& record) {
  if (record.replay == ReplayState::keeping && is_pipe(record.keep_read)) {
    if (!is_one_pipe(record.keep_read, record.keep_write)) {
      std::int32_t none = -1;
      close_pipe(none, record.keep_write);
    }
    return true;
  }
  close_pipe(record.keep_read, record.keep_write);
  return record.replay != ReplayState::keeping;
}

// No backend has what it was sent: it is sent again, out of the keeping pipe. Sockets that aren't
// its own it mustn't close when it begins again.
bool reconcile_connecting(ConnectionRecord& record) {
  for (auto* fd : {&record.backend_fd, &record.second_fd}) {
    if (!is_stream(*fd)) {
      *fd = -1;
    }
  }
  close_pipe(record.to_backend);
  close_pipe(record.to_client);
  return settle_keeping(record);
}

// What is in the pipe is what the kernel says: the record is written after the splice.
bool count_held(FlowRecord& flow) {
  if (flow.pipe_read < 0 || flow.pipe_write < 0) {
    // Named by halves: being borrowed or given back, and empty.
    close_pipe(flow);
    HOLDFAST_FAULT_POINT(recovery_pipe_closed);
    flow.held = 0;
    return true;
  }
  int held = 0;
  if (!is_pipe(flow.pipe_read) || !is_pipe(flow.pipe_write) ||
      ::ioctl(flow.pipe_read, FIONREAD, &held) != 0) {
    return false;
  }
  flow.held = static_cast<std::uint32_t>(held);
  HOLDFAST_FAULT_POINT(recovery_held_counted);
  return true;
}

// A copy had bytes in the sink that were still in the source, or none any more: the kernel's
// ledger says how many to drop.
bool finish_copy(FlowRecord& flow, int source, int sink, bool sink_is_ours) {
  if (!flow.in_copy) {
    return true;
  }
  const auto ahead = bytes_ahead(source, sink, flow.held, sink_is_ours);
  HOLDFAST_FAULT_POINT(recovery_copy_measured);
  if (!ahead || *ahead < 0 || !drop_bytes(source, static_cast<std::size_t>(*ahead))) {
    return false;
  }
  HOLDFAST_FAULT_POINT(recovery_copy_dropped);
  flow.in_copy = false;
  HOLDFAST_FAULT_POINT(recovery_copy_ended);
  return true;
}

// A socket that was reset has no ledger any more. What a copy hadn't done is lost with it, and the
// other end hears of the reset.
void give_copy_up(FlowRecord& flow) {
  if (flow.in_copy) {
    flow.state = FlowState::aborted;
    flow.in_copy = false;
  }
}

// What was taken from the source is with the sink or in the pipe, as far as the kernel can tell. A
// FIN that was sent can't be told from a byte.
[[maybe_unused]] bool is_balanced(const FlowRecord& flow, int source, int sink, bool sink_is_ours) {
  return flow.state == FlowState::shut || flow.state == FlowState::aborted ||
         bytes_ahead(source, sink, flow.held, sink_is_ours).value_or(0) == 0;
}

// Reset while the worker was dying: the error may have been read by it and noted nowhere, and what
// is read next is a plain end. Nothing will ever wake the flow towards a dead socket, so that ends
// here; what it sent is still to be delivered.
void note_reset(ConnectionRecord& record, ResetBy end, int socket, FlowRecord& towards_it,
                FlowRecord& from_it, int other, bool other_is_ours) {
  if (!is_closed(socket)) {
    return;
  }
  bool was_reset = false;
  if (towards_it.state != FlowState::shut) {
    was_reset = true;  // without a FIN of ours there is no other way to TCP_CLOSE
    towards_it.state = FlowState::aborted;
  } else if (from_it.state == FlowState::open && !from_it.in_copy &&
             !got_fin(socket, other, from_it.held, other_is_ours).value_or(true)) {
    was_reset = true;
  }
  if (was_reset && record.reset == ResetBy::nobody) {
    record.reset = end;
  }
}

bool is_sound(FlowState state) {
  return state <= FlowState::aborted;
}

}  // namespace

bool reconcile(ConnectionRecord& record) {
  if (!is_stream(record.client_fd) || record.attempts > state::kMaxAttempts) {
    return false;
  }
  if (record.state != ConnectionState::relaying) {
    return reconcile_connecting(record);
  }
  record.second_fd = -1;
  if (!settle_keeping(record)) {
    record.replay = ReplayState::over;
  }
  auto& to_backend = record.to_backend;
  auto& to_client = record.to_client;
  if (record.reset > ResetBy::backend || !is_sound(to_backend.state) ||
      !is_sound(to_client.state) || record.backend >= state::kMaxBackends ||
      !is_stream(record.backend_fd) || !count_held(to_backend) || !count_held(to_client)) {
    return false;
  }
  const bool told = finish_copy(to_backend, record.client_fd, record.backend_fd, true) &&
                    finish_copy(to_client, record.backend_fd, record.client_fd, false);
  HOLDFAST_FAULT_CHECK(!told || is_balanced(to_backend, record.client_fd, record.backend_fd, true));
  HOLDFAST_FAULT_CHECK(!told || is_balanced(to_client, record.backend_fd, record.client_fd, false));
  note_reset(record, ResetBy::client, record.client_fd, to_client, to_backend, record.backend_fd,
             true);
  note_reset(record, ResetBy::backend, record.backend_fd, to_backend, to_client, record.client_fd,
             false);
  const bool was_reset = record.reset != ResetBy::nobody;
  if (!told && was_reset) {
    give_copy_up(to_backend);
    give_copy_up(to_client);
  }
  return told || was_reset;
}

void discard(ConnectionRecord& record) {
  close_pipe(record.to_backend);
  close_pipe(record.to_client);
  close_pipe(record.keep_read, record.keep_write);
  for (const int fd : {std::exchange(record.client_fd, -1), std::exchange(record.backend_fd, -1),
                       std::exchange(record.second_fd, -1)}) {
    if (is_stream(fd)) {
      ::close(fd);
    }
  }
}

}  // namespace holdfast::relay
