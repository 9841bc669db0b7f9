#include "relay/connector.h"

#include <cerrno>
#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"

namespace holdfast::relay {
namespace {

state::ConnectFailure classify(int code) {
  using state::ConnectFailure;
  if (is_local_trouble(code)) {
    return ConnectFailure::local;
  }
  switch (code) {
    case ECONNREFUSED:
    case ENOENT:  // a Unix socket whose file is gone
      return ConnectFailure::refused;
    case ECONNRESET:
    case EPIPE:  // the same after its FIN (tcp_reset() in the kernel)
      return ConnectFailure::reset;
    case ETIMEDOUT:
      return ConnectFailure::timeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
      return ConnectFailure::unreachable;
    default:  // errno is an open set
      return ConnectFailure::other;
  }
}

}  // namespace

bool Connector::try_next() {
  auto& pool = *service_.pool;
  while (record_.attempts < pool.config().connect.attempts) {
    const auto* backend = pool.pick(std::span(record_.tried).first(record_.attempts));
    if (backend == nullptr) {
      return false;
    }
    if (record_.attempts > 0) {
      context_.counters.pools[pool.index()].failovers.add(1);
    }
    HOLDFAST_FAULT_POINT(connector_backend_picked);
    record_.backend = backend->index;
    record_.tried[record_.attempts++] = backend->index;
    HOLDFAST_FAULT_POINT(connector_backend_noted);
    started_ = Clock::now();
    auto socket = start_connect(*backend->address, pool.config().connect.socket);
    if (socket) {
      HOLDFAST_FAULT_POINT(connector_socket_unrecorded);
      record_.backend_fd = socket->release();
      HOLDFAST_FAULT_POINT(connector_socket_recorded);
      return true;
    }
    give_up(socket.error().code);
  }
  return false;
}

int Connector::finish() {
  const int code = finish_connect(record_.backend_fd);
  if (code == 0) {
    // Kernels before 6.5 don't splice into such a socket, and call it writable nevertheless.
    record_.to_backend.copying =
        service_.pool->config().connect.socket.fastopen && is_connect_put_off(record_.backend_fd);
    const auto taken = Clock::now() - started_;
    context_.counters.pools[service_.pool->index()].connect_duration.observe(
        static_cast<std::uint64_t>(taken.count()));
  }
  return code;
}

void Connector::give_up(int code) {
  const auto reason = classify(code);
  context_.counters.backends[record_.backend]
      .connect_failures[static_cast<std::size_t>(reason)]
      .add(1);
  HOLDFAST_FAULT_POINT(connector_failure_counted);
  context_.log.debug("connect failed", {{"pool", service_.pool->name()},
                                        {"backend", context_.backend_name(record_)},
                                        {"reason", error_text(code)},
                                        {"attempt", record_.attempts}});
  Fd socket(std::exchange(record_.backend_fd, -1));
  HOLDFAST_FAULT_POINT(connector_failed_socket_forgotten);
  socket = Fd();
  HOLDFAST_FAULT_POINT(connector_failed_socket_closed);
  release();
}

void Connector::begin_again() {
  const Fd socket(std::exchange(record_.backend_fd, -1));
  HOLDFAST_FAULT_POINT(recovery_socket_forgotten);
  record_.backend = state::kNoBackend;
  record_.attempts = 0;
}

void Connector::release() {
  if (record_.backend != state::kNoBackend) {
    service_.pool->release(record_.backend);
    record_.backend = state::kNoBackend;
  }
}

}  // namespace holdfast::relay
