#include "stream_pair.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "holdfast/base/socket.h"

namespace holdfast::bench {
namespace {

void connect_tcp(StreamPair& pair) {
  const auto any = SocketAddress::from(*Endpoint::parse("127.0.0.1:0")).value();
  const auto listener = listen_on(any, false).value();
  pair.near = start_connect(SocketAddress::local(listener.get()).value()).value();
  pollfd wait{listener.get(), POLLIN, 0};
  ::poll(&wait, 1, -1);
  pair.far = Fd(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  tune_stream(pair.far.get());
}

void connect_unix(StreamPair& pair) {
  std::array<int, 2> ends{-1, -1};
  static_cast<void>(
      ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()));
  pair.near = Fd(ends[0]);
  pair.far = Fd(ends[1]);
}

}  // namespace

StreamPair::StreamPair(Kind kind) {
  switch (kind) {
    case Kind::tcp:
      connect_tcp(*this);
      break;
    case Kind::unix_stream:
      connect_unix(*this);
      break;
  }
  if (!near.is_open() || !far.is_open()) {
    std::abort();
  }
}

std::size_t send_some(const Fd& socket, std::string_view bytes) {
  std::size_t total = 0;
  while (!bytes.empty()) {
    const auto sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) {
      break;
    }
    total += static_cast<std::size_t>(sent);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return total;
}

std::size_t receive_some(const Fd& socket, std::size_t at_most) {
  static std::vector<char> scratch(std::size_t{1} << 20);
  std::size_t total = 0;
  while (total < at_most) {
    const auto wanted = std::min(scratch.size(), at_most - total);
    const auto got = ::recv(socket.get(), scratch.data(), wanted, 0);
    if (got <= 0) {
      break;
    }
    total += static_cast<std::size_t>(got);
  }
  return total;
}

}  // namespace holdfast::bench
