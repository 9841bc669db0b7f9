#include "relay/splice_channel.h"

#include <fcntl.h>
#include <sys/types.h>

#include <cerrno>

namespace holdfast::relay {
namespace {

constexpr unsigned kFlags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;

// Splice may not do these descriptors, or the kernel may lack the memory for it now.
bool is_unsupported(int code) {
  return code == EINVAL || code == ENOSYS || code == ENOMEM;
}

ssize_t splice_some(int from, int to, std::size_t bytes) {
  ssize_t moved = 0;
  do {
    moved = ::splice(from, nullptr, to, nullptr, bytes, kFlags);
  } while (moved < 0 && errno == EINTR);
  return moved;
}

}  // namespace

Transfer splice_in(int source, int pipe_write, std::size_t limit) {
  using Outcome = Transfer::Outcome;
  const ssize_t moved = splice_some(source, pipe_write, limit);
  if (moved > 0) {
    return {Outcome::moved, static_cast<std::size_t>(moved)};
  }
  if (moved == 0) {
    return {Outcome::source_eof};
  }
  if (errno == EAGAIN) {
    return {Outcome::source_blocked};
  }
  return {is_unsupported(errno) ? Outcome::unsupported : Outcome::source_reset};
}

Transfer splice_out(int pipe_read, int sink, std::size_t held) {
  using Outcome = Transfer::Outcome;
  const ssize_t moved = splice_some(pipe_read, sink, held);
  if (moved > 0) {
    return {Outcome::moved, static_cast<std::size_t>(moved)};
  }
  if (moved == 0 || errno == EAGAIN) {
    return {Outcome::sink_blocked};
  }
  return {is_unsupported(errno) ? Outcome::unsupported : Outcome::sink_reset};
}

}  // namespace holdfast::relay
