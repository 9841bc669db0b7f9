#include "relay/copy_channel.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>

#include "holdfast/base/fault.h"

namespace holdfast::relay {
namespace {

using Outcome = Transfer::Outcome;

// What has come, left where it is.
Transfer peek(int source, std::span<char> bytes) {
  ssize_t seen = 0;
  do {
    seen = ::recv(source, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
  } while (seen < 0 && errno == EINTR);
  if (seen > 0) {
    return {Outcome::moved, static_cast<std::size_t>(seen)};
  }
  if (seen == 0) {
    return {Outcome::source_eof};
  }
  return {errno == EAGAIN ? Outcome::source_blocked : Outcome::source_reset};
}

Transfer send_some(int sink, std::span<const char> bytes) {
  ssize_t sent = 0;
  do {
    sent = ::send(sink, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) {
    return {Outcome::moved, static_cast<std::size_t>(sent)};
  }
  // ENOBUFS: the kernel is short of memory for a moment; the socket is as good as before.
  return {errno == EAGAIN || errno == ENOBUFS ? Outcome::sink_blocked : Outcome::sink_reset};
}

}  // namespace

Transfer look(int source) {
  char first = 0;
  return peek(source, std::span(&first, 1));
}

Transfer copy_across(int source, int sink, std::span<char> scratch) {
  const auto seen = peek(source, scratch);
  if (seen.outcome != Outcome::moved) {
    return seen;
  }
  HOLDFAST_FAULT_POINT(copy_peeked);
  const auto sent = send_some(sink, scratch.first(seen.bytes));
  HOLDFAST_FAULT_POINT(copy_sent);
  if (sent.outcome != Outcome::moved) {
    return sent;
  }
  std::size_t removed = 0;
  while (removed < sent.bytes) {
    const ssize_t taken = ::recv(source, scratch.data(), sent.bytes - removed, MSG_DONTWAIT);
    if (taken <= 0) {
      if (taken < 0 && errno == EINTR) {
        continue;
      }
      // A reset between the two looks emptied the queue: what was sent is sent.
      return {Outcome::source_reset, sent.bytes};
    }
    removed += static_cast<std::size_t>(taken);
    HOLDFAST_FAULT_POINT(copy_consumed);
  }
  return sent;
}

Transfer copy_out(int pipe_read, int pipe_write, int sink, std::size_t held,
                  std::span<char> scratch) {
  assert(held <= scratch.size());
  std::size_t taken = 0;
  while (taken < held) {
    const ssize_t got = ::read(pipe_read, scratch.data() + taken, held - taken);
    if (got <= 0) {
      break;
    }
    taken += static_cast<std::size_t>(got);
  }
  assert(taken == held && "the record says what the pipe holds");
  const auto sent = send_some(sink, scratch.first(taken));
  if (sent.outcome == Outcome::sink_reset) {
    return sent;
  }
  const auto rest = scratch.subspan(sent.bytes, taken - sent.bytes);
  [[maybe_unused]] const ssize_t returned =
      rest.empty() ? 0 : ::write(pipe_write, rest.data(), rest.size());
  assert(returned == static_cast<ssize_t>(rest.size()));
  return sent;
}

}  // namespace holdfast::relay
