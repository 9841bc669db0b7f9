#include "relay/ledger.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>

namespace holdfast::relay {
namespace {

// The kernel's states, which <netinet/tcp.h> names and can't be included beside <linux/tcp.h>.
enum TcpState : std::uint8_t { kClose = 7, kCloseWait = 8, kLastAck = 9, kClosing = 11 };

std::optional<tcp_info> info_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  // An older kernel answers with less than what is needed here.
  constexpr auto kNeeded = offsetof(tcp_info, tcpi_bytes_received) + sizeof(__u64);
  if (::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) != 0 || size < kNeeded) {
    return std::nullopt;
  }
  return info;
}

std::optional<int> queued(int socket, unsigned long which) {
  int bytes = 0;
  return ::ioctl(socket, which, &bytes) == 0 ? std::optional(bytes) : std::nullopt;
}

// Bytes that were taken out of the socket. Data keeps arriving, so the two answers belong together
// only when nothing changed between them.
std::optional<std::int64_t> consumed(int socket) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto before = queued(socket, SIOCINQ);
    const auto info = info_of(socket);
    const auto after = queued(socket, SIOCINQ);
    if (!before || !info || !after || info->tcpi_state == kClose) {
      return std::nullopt;
    }
    const auto again = info_of(socket);
    if (before != after || !again || again->tcpi_bytes_received != info->tcpi_bytes_received) {
      continue;
    }
    // The peer's FIN counts as a byte received.
    const bool fin = info->tcpi_state == kCloseWait || info->tcpi_state == kLastAck ||
                     info->tcpi_state == kClosing;
    return static_cast<std::int64_t>(info->tcpi_bytes_received) - *before - (fin ? 1 : 0);
  }
  return std::nullopt;
}

// Bytes that were put into the socket; acknowledgements keep arriving.
std::optional<std::int64_t> written(int socket, bool ours) {
  for (int attempt = 0; attempt < 100; ++attempt) {
    const auto info = info_of(socket);
    const auto unacknowledged = queued(socket, SIOCOUTQ);
    const auto again = info_of(socket);
    if (!info || !unacknowledged || !again || info->tcpi_state == kClose) {
      return std::nullopt;
    }
    if (again->tcpi_bytes_acked == info->tcpi_bytes_acked) {
      // The SYN of whoever connects counts as a byte.
      return static_cast<std::int64_t>(info->tcpi_bytes_acked) + *unacknowledged - (ours ? 1 : 0);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> bytes_ahead(int source, int sink, std::uint32_t held,
                                        bool sink_is_ours) {
  const auto in = consumed(source);
  const auto out = written(sink, sink_is_ours);
  if (!in || !out) {
    return std::nullopt;
  }
  return *out - (*in - held);
}

std::optional<bool> got_fin(int source, int sink, std::uint32_t held, bool sink_is_ours) {
  const auto info = info_of(source);
  const auto unread = queued(source, SIOCINQ);
  const auto out = written(sink, sink_is_ours);
  if (!info || !unread || !out) {
    return std::nullopt;
  }
  // Counted as received and never read.
  return static_cast<std::int64_t>(info->tcpi_bytes_received) - *unread - held > *out;
}

bool drop_bytes(int socket, std::size_t bytes) {
  char dropped[4096];
  while (bytes > 0) {
    const auto got = ::recv(socket, dropped, std::min(bytes, sizeof dropped), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    if (got <= 0) {
      return false;
    }
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

bool is_closed(int socket) {
  const auto info = info_of(socket);
  return info && info->tcpi_state == kClose;
}

}  // namespace holdfast::relay
