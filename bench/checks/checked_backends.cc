#include "checks/checked_backends.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cassert>
#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kMostBackends = 4096;  // in one configuration
constexpr std::size_t kInOneSubnet = 250;
constexpr int kLookMilliseconds = 100;  // whether to stop
constexpr std::size_t kEventsAtOnce = 256;
constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

std::vector<std::string> addresses_at(std::uint16_t port, std::size_t count) {
  std::vector<std::string> addresses;
  for (std::size_t i = 0; i < count; ++i) {
    addresses.push_back("127.1." + std::to_string(i / kInOneSubnet) + "." +
                        std::to_string(i % kInOneSubnet + 1) + ":" + std::to_string(port));
  }
  return addresses;
}

bool watch(const Fd& epoll, int socket) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = socket;
  return ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, socket, &event) == 0;
}

}  // namespace

Result<std::unique_ptr<CheckedBackends>> CheckedBackends::start(std::size_t count) {
  assert(count <= kMostBackends);
  const auto everywhere = SocketAddress::from(Endpoint{.host = "0.0.0.0", .path = {}});
  auto listener = everywhere ? listen_on(*everywhere, false) : tl::unexpected(everywhere.error());
  if (!listener) {
    return tl::unexpected(listener.error());
  }
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  const auto bound = SocketAddress::local(listener->get());
  if (!epoll.is_open() || !bound || !watch(epoll, listener->get())) {
    return fail("cannot serve checks", errno);
  }
  return std::unique_ptr<CheckedBackends>(new CheckedBackends(
      std::move(*listener), std::move(epoll), addresses_at(bound->port(), count)));
}

CheckedBackends::CheckedBackends(Fd listener, Fd epoll, std::vector<std::string> addresses)
    : listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      addresses_(std::move(addresses)),
      thread_([this] { serve(); }) {}

CheckedBackends::~CheckedBackends() {
  static_cast<void>(stop());
}

std::vector<TimePoint> CheckedBackends::stop() {
  stopping_ = true;
  if (thread_.joinable()) {
    thread_.join();
  }
  return std::move(accepted_);
}

void CheckedBackends::serve() {
  epoll_event events[kEventsAtOnce];
  while (!stopping_) {
    const int ready = ::epoll_wait(epoll_.get(), events, kEventsAtOnce, kLookMilliseconds);
    for (int i = 0; i < ready; ++i) {
      if (events[i].data.fd == listener_.get()) {
        accept_all();
      } else {
        answer(events[i].data.fd);
      }
    }
  }
}

void CheckedBackends::accept_all() {
  for (;;) {
    Fd connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!connection.is_open()) {
      return;
    }
    accepted_.push_back(Clock::now());
    const int number = connection.get();
    if (watch(epoll_, number)) {
      connections_.insert_or_assign(number, std::move(connection));
    }
  }
}

void CheckedBackends::answer(int connection) {
  char request[4096];
  const ssize_t got = ::recv(connection, request, sizeof request, 0);
  if (got < 0 && errno == EAGAIN) {
    return;
  }
  if (got <= 0) {
    connections_.erase(connection);
    return;
  }
  // A request of a check fits a segment, and the answer a socket's buffer.
  static_cast<void>(::send(connection, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL));
  ::shutdown(connection, SHUT_WR);
}

}  // namespace holdfast::bench
