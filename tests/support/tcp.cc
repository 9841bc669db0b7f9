#include "support/tcp.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <filesystem>
#include <random>

namespace holdfast::testing {
namespace {

SocketAddress any_loopback() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return SocketAddress::from(reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

constexpr int kPatienceMs = 30'000;

void set_far_end_options(const Fd& socket) {
  const timeval patience{kPatienceMs / 1000, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(socket.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Fd stream_socket(int family) {
  Fd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  set_far_end_options(socket);
  return socket;
}

}  // namespace

Fd listen_any(int backlog) {
  Fd socket = reserve_closed_port();
  EXPECT_EQ(::listen(socket.get(), backlog), 0) << error_text(errno);
  return socket;
}

Fd reserve_closed_port() {
  Fd socket = stream_socket(AF_INET);
  const auto address = any_loopback();
  EXPECT_EQ(::bind(socket.get(), address.data(), address.size()), 0) << error_text(errno);
  return socket;
}

SocketAddress address_of(const Fd& socket) {
  return SocketAddress::local(socket.get()).value();
}

Fd connect_to(const SocketAddress& address) {
  Fd socket = stream_socket(address.family());
  const int flags = ::fcntl(socket.get(), F_GETFL);
  ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK);
  if (::connect(socket.get(), address.data(), address.size()) != 0) {
    EXPECT_EQ(errno, EINPROGRESS) << error_text(errno);
    // A connection that is reset as soon as it is accepted makes a blocking connect(2) fail with
    // that reset; poll(2) leaves the error to whoever reads.
    pollfd waiting{socket.get(), POLLOUT, 0};
    EXPECT_EQ(TEMP_FAILURE_RETRY(::poll(&waiting, 1, kPatienceMs)), 1) << "connect: no answer";
  }
  ::fcntl(socket.get(), F_SETFL, flags);
  return socket;
}

Fd accept_from(const Fd& listener) {
  Fd socket(static_cast<int>(
      TEMP_FAILURE_RETRY(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC))));
  EXPECT_TRUE(socket.is_open()) << "accept: " << error_text(errno);
  set_far_end_options(socket);
  return socket;
}

void send_all(const Fd& socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) {
      continue;
    }
    ASSERT_GT(sent, 0) << "send: " << error_text(errno);
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
}

std::size_t send_without_waiting(const Fd& socket, std::size_t at_most) {
  const std::string chunk(64 * 1024, 'x');
  std::size_t total = 0;
  while (total < at_most) {
    const ssize_t sent = ::send(socket.get(), chunk.data(), std::min(chunk.size(), at_most - total),
                                MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) {
      break;
    }
    total += static_cast<std::size_t>(sent);
  }
  return total;
}

std::string receive(const Fd& socket, std::size_t bytes) {
  std::string result(bytes, '\0');
  std::size_t got = 0;
  while (got < bytes) {
    const ssize_t more = ::recv(socket.get(), result.data() + got, bytes - got, 0);
    if (more < 0 && errno == EINTR) {
      continue;
    }
    if (more <= 0) {
      ADD_FAILURE() << "the stream ended after " << got << " of " << bytes
                    << " bytes: " << (more == 0 ? "FIN" : error_text(errno));
      break;
    }
    got += static_cast<std::size_t>(more);
  }
  result.resize(got);
  return result;
}

Received receive_to_end(const Fd& socket) {
  Received received{{}, Ending::fin};
  std::string chunk(256 * 1024, '\0');
  for (;;) {
    const ssize_t got = ::recv(socket.get(), chunk.data(), chunk.size(), 0);
    if (got > 0) {
      received.bytes.append(chunk, 0, static_cast<std::size_t>(got));
    } else if (got == 0) {
      return received;
    } else if (errno != EINTR) {
      received.ending = errno == EAGAIN ? Ending::timeout : Ending::reset;
      return received;
    }
  }
}

Ending ending_of(const Fd& socket) {
  return receive_to_end(socket).ending;
}

void finish_sending(const Fd& socket) {
  ::shutdown(socket.get(), SHUT_WR);
}

void reset(Fd socket) {
  const linger now{1, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
}

std::string pattern(std::size_t bytes, unsigned seed) {
  std::minstd_rand random(seed);
  std::string result(bytes, '\0');
  for (auto& byte : result) {
    byte = static_cast<char>(random() >> 7);
  }
  return result;
}

std::size_t open_descriptors() {
  namespace fs = std::filesystem;
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator()));
}

double cpu_share_during(std::chrono::milliseconds span) {
  const auto cpu_seconds = [] {
    timespec used{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) * 1e-9;
  };
  const auto started = Clock::now();
  const double before = cpu_seconds();
  ::poll(nullptr, 0, static_cast<int>(span.count()));  // the span is the measurement
  const std::chrono::duration<double> passed = Clock::now() - started;
  return (cpu_seconds() - before) / passed.count();
}

}  // namespace holdfast::testing
