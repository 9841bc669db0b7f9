#include "holdfast/base/socket_options.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <fstream>

#include "holdfast/base/fd.h"

namespace holdfast {
namespace {

using std::chrono::duration_cast;
using std::chrono::seconds;

void set_option(int socket, int level, int name, int value) {
  static_cast<void>(::setsockopt(socket, level, name, &value, sizeof value));
}

int option(int socket, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(socket, IPPROTO_TCP, name, &value, &size) == 0 ? value : 0;
}

int to_seconds(std::chrono::milliseconds duration) {
  return static_cast<int>(duration_cast<seconds>(duration).count());
}

// What a socket has of which nobody asked for anything else: 0 can't be asked for.
Keepalive kernel_keepalive() {
  const Fd fresh(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  return {.idle = seconds(option(fresh.get(), TCP_KEEPIDLE)),
          .interval = seconds(option(fresh.get(), TCP_KEEPINTVL)),
          .count = static_cast<unsigned>(option(fresh.get(), TCP_KEEPCNT))};
}

bool is_tcp(int socket) {
  int protocol = 0;
  socklen_t size = sizeof protocol;
  return ::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL, &protocol, &size) == 0 &&
         protocol == IPPROTO_TCP;
}

}  // namespace

bool accepts_fastopen() {
  constexpr int kServers = 2;
  std::ifstream file("/proc/sys/net/ipv4/tcp_fastopen");
  int allowed = 0;
  return file >> allowed && (allowed & kServers) != 0;
}

void apply(const StreamOptions& options, int socket) {
  const auto& keepalive = options.keepalive;
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, keepalive.on ? 1 : 0);
  if (keepalive.idle.count() > 0) {
    set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, to_seconds(keepalive.idle));
  }
  if (keepalive.interval.count() > 0) {
    set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, to_seconds(keepalive.interval));
  }
  if (keepalive.count > 0) {
    set_option(socket, IPPROTO_TCP, TCP_KEEPCNT, static_cast<int>(keepalive.count));
  }
  if (options.user_timeout.count() > 0) {
    set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT,
               static_cast<int>(options.user_timeout.count()));
  }
}

void apply(const ListenOptions& options, int socket) {
  if (!is_tcp(socket)) {
    return;
  }
  auto stream = options.stream;
  const auto kernel = kernel_keepalive();
  auto& keepalive = stream.keepalive;
  keepalive.idle = keepalive.idle.count() > 0 ? keepalive.idle : kernel.idle;
  keepalive.interval = keepalive.interval.count() > 0 ? keepalive.interval : kernel.interval;
  keepalive.count = keepalive.count > 0 ? keepalive.count : kernel.count;
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, 0);
  apply(stream, socket);
  set_option(socket, IPPROTO_TCP, TCP_FASTOPEN, static_cast<int>(options.fastopen));
}

}  // namespace holdfast
