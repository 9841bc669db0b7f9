#include "holdfast/base/socket.h"

#include <linux/filter.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <iterator>

namespace holdfast {
namespace {

void set_option(int socket, int level, int name, int value) {
  // Options tune; a family that lacks one (TCP_NODELAY on Unix) is served without it.
  static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

Result<Fd> make_socket(int family) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) {
    return fail("cannot make a socket", errno);
  }
  return socket;
}

// The error that is pending, which is none afterwards; 0 for none.
int take_error(int socket) {
  int code = 0;
  socklen_t size = sizeof code;
  return ::getsockopt(socket, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno;
}

// The port is chosen by connect(2), which may give one and the same to many connections as long as
// they go to different backends (scar 30). Of IPv6 sockets too.
Result<void> bind_source(int socket, const SocketAddress& source) {
  set_option(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  if (::bind(socket, source.data(), source.size()) != 0) {
    return fail("cannot connect from " + source.endpoint().host, errno);
  }
  return {};
}

// As in <netinet/tcp.h>; nothing for a socket that isn't TCP.
std::optional<int> state_of(int socket) {
  tcp_info info{};
  socklen_t size = sizeof info;
  return ::getsockopt(socket, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
             ? std::optional<int>(info.tcpi_state)
             : std::nullopt;
}

// Removes the file of a listener that is gone, so that its path can be bound again (scar 42).
Result<void> remove_stale_socket(const SocketAddress& address) {
  const auto path = address.endpoint().path;
  struct stat file {};
  if (::lstat(path.c_str(), &file) != 0) {
    return {};
  }
  if (!S_ISSOCK(file.st_mode)) {
    return fail(path + " exists and is not a socket", EADDRINUSE);
  }
  auto probe = make_socket(AF_UNIX);
  if (!probe) {
    return tl::unexpected(probe.error());
  }
  if (::connect(probe->get(), address.data(), address.size()) == 0 || errno != ECONNREFUSED) {
    return fail("somebody listens on " + path, EADDRINUSE);
  }
  ::unlink(path.c_str());
  return {};
}

}  // namespace

Result<Fd> bind_to(const SocketAddress& address, bool reuse_port) {
  if (address.is_unix()) {
    if (auto removed = remove_stale_socket(address); !removed) {
      return tl::unexpected(removed.error());
    }
  }
  auto socket = make_socket(address.family());
  if (!socket) {
    return socket;
  }
  set_option(socket->get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (reuse_port) {
    set_option(socket->get(), SOL_SOCKET, SO_REUSEPORT, 1);
  }
  if (address.family() == AF_INET6) {
    // "[::]:80" beside "0.0.0.0:80" is what two bind entries mean.
    set_option(socket->get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  }
  if (::bind(socket->get(), address.data(), address.size()) != 0) {
    return fail("cannot listen on " + address.to_string(), errno);
  }
  return socket;
}

Result<void> start_listening(const Fd& socket, const SocketAddress& address) {
  if (::listen(socket.get(), kAcceptBacklog) != 0) {
    return fail("cannot listen on " + address.to_string(), errno);
  }
  return {};
}

void refuse_new_clients(int socket) {
  // The filter sees a segment from its TCP header on: byte 13 has the flags (RFC 9293, 3.1).
  constexpr unsigned kFlags = 13;
  constexpr unsigned kSyn = 0x02;
  constexpr unsigned kAck = 0x10;
  sock_filter program[] = {
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, kFlags}, {BPF_ALU | BPF_AND | BPF_K, 0, 0, kSyn | kAck},
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, kSyn},  {BPF_RET | BPF_K, 0, 0, 0},
      {BPF_RET | BPF_K, 0, 0, 0xffff'ffff},
  };
  const sock_fprog filter{static_cast<unsigned short>(std::size(program)), program};
  if (SocketAddress::local(socket).value_or(SocketAddress()).is_unix()) {
    return;
  }
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter));
}

void admit_new_clients(int socket) {
  set_option(socket, SOL_SOCKET, SO_DETACH_FILTER, 0);
}

Result<Fd> listen_on(const SocketAddress& address, bool reuse_port) {
  return bind_to(address, reuse_port).and_then([&](Fd socket) -> Result<Fd> {
    auto listening = start_listening(socket, address);
    if (!listening) {
      return tl::unexpected(listening.error());
    }
    return socket;
  });
}

Result<Fd> start_connect(const SocketAddress& address, const ConnectOptions& options) {
  auto socket = make_socket(address.family());
  if (!socket) {
    return socket;
  }
  tune_stream(socket->get());
  apply(options.stream, socket->get());
  if (options.fastopen) {
    set_option(socket->get(), IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
  }
  if (options.source.size() > 0 && options.source.family() == address.family()) {
    if (auto bound = bind_source(socket->get(), options.source); !bound) {
      return tl::unexpected(bound.error());
    }
  }
  if (::connect(socket->get(), address.data(), address.size()) != 0 && errno != EINPROGRESS) {
    return fail("cannot connect to " + address.to_string(), errno);
  }
  return socket;
}

int finish_connect(int socket) {
  if (const int code = take_error(socket); code != 0) {
    return code;
  }
  const auto peer = SocketAddress::peer(socket);
  if (!peer && is_connect_put_off(socket)) {
    return 0;
  }
  if (!peer) {
    // Reset between the two questions: the error is there by now.
    const int code = take_error(socket);
    return code != 0 ? code : ENOTCONN;
  }
  if (!peer->is_unix() && peer == SocketAddress::local(socket)) {
    reset_on_close(
        socket);  // an orderly end would keep the port, which is the backend's, for a minute
    return ECONNREFUSED;
  }
  return 0;
}

Result<void> check_source(const SocketAddress& source) {
  return make_socket(source.family()).and_then([&](const Fd& socket) {
    return bind_source(socket.get(), source);
  });
}

bool is_connect_put_off(int socket) {
  int asked = 0;
  socklen_t size = sizeof asked;
  if (::getsockopt(socket, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &asked, &size) != 0 || asked == 0) {
    return false;
  }
  // One that waits for the peer is not writable.
  return state_of(socket) == TCP_SYN_SENT && is_ready(socket, false, true);
}

bool is_local_trouble(int code) {
  return code == EADDRNOTAVAIL || code == EMFILE || code == ENFILE || code == ENOBUFS ||
         code == ENOMEM;
}

void tune_stream(int socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  // An urgent byte stays in its place in the stream instead of being taken out of it.
  set_option(socket, SOL_SOCKET, SO_OOBINLINE, 1);
}

void reset_on_close(int socket) {
  const linger now{1, 0};
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_LINGER, &now, sizeof now));
}

bool is_ready(int socket, bool readable, bool writable) {
  const int events = (readable ? POLLIN : 0) | (writable ? POLLOUT : 0);
  pollfd asked{socket, static_cast<short>(events), 0};
  // POLLERR and POLLHUP are reported unasked; they count only where they make it readable.
  return events != 0 && ::poll(&asked, 1, 0) > 0 && (asked.revents & events) != 0;
}

int unacknowledged_bytes(int socket) {
  if (state_of(socket) == TCP_CLOSE) {
    return 0;  // reset: what SIOCOUTQ still counts will never be acknowledged
  }
  int bytes = 0;
  return ::ioctl(socket, SIOCOUTQ, &bytes) == 0 ? bytes : 0;
}

}  // namespace holdfast
