#include "relay/attempt.h"

#include <cerrno>
#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"

namespace holdfast::relay {

Result<void> Attempt::begin(const pool::Backend& backend, const ConnectOptions& options,
                            DeadlineList& timeout) {
  backend_ = backend.index;
  HOLDFAST_FAULT_POINT(connector_backend_noted);
  began_ = Clock::now();
  auto socket = start_connect(*backend.address, options);
  if (!socket) {
    return tl::unexpected(socket.error());
  }
  HOLDFAST_FAULT_POINT(connector_socket_unrecorded);
  fd_ = socket->release();
  HOLDFAST_FAULT_POINT(connector_socket_recorded);
  poll_ = std::make_unique<loop::Poll>(context_.loop, fd_, *this);
  poll_->want(false, true);
  timeout.touch(*this);
  HOLDFAST_FAULT_POINT(connector_polled);
  return {};
}

void Attempt::on_ready(loop::Poll&, loop::Readiness) {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(connector_woken);
  owner_.on_outcome(*this, finish_connect(fd_));
}

void Attempt::on_deadline() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(connector_timed_out);
  owner_.on_outcome(*this, outcome().value_or(ETIMEDOUT));
}

std::optional<int> Attempt::outcome() const {
  return is_open() && is_ready(fd_, false, true) ? std::optional(finish_connect(fd_))
                                                 : std::nullopt;
}

void Attempt::close(pool::Pool& pool) {
  DeadlineList::leave(*this);
  poll_.reset();
  Fd socket(std::exchange(fd_, -1));
  HOLDFAST_FAULT_POINT(connector_socket_forgotten);
  socket = Fd();
  HOLDFAST_FAULT_POINT(connector_socket_closed);
  if (backend_ != state::kNoBackend) {
    pool.release(std::exchange(backend_, state::kNoBackend));
  }
  is_hedge = false;
}

std::unique_ptr<loop::Poll> Attempt::take() {
  DeadlineList::leave(*this);
  return std::move(poll_);
}

}  // namespace holdfast::relay
