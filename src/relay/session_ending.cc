// How a session ends: in its own time, at a deadline, from outside, or without ever having begun.

#include <sys/socket.h>
#include <unistd.h>

#include <cassert>
#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"
#include "relay/connection_log.h"
#include "relay/session.h"

namespace holdfast::relay {
namespace {

using state::CloseCause;
using state::ConnectionState;
using state::ResetBy;

// How often a session that has only to wait for its last bytes to be acknowledged looks whether
// they are: the kernel has no event for that.
constexpr auto kDeliveryCheck = std::chrono::milliseconds(10);

// Whoever moved bytes in this time was in the middle of something.
constexpr auto kBusy = std::chrono::seconds(1);

bool is_failure(CloseCause cause) {
  switch (cause) {
    case CloseCause::finished:
    case CloseCause::client_reset:
    case CloseCause::shutdown:
    case CloseCause::drained:
    case CloseCause::lower_tier_up:
      return false;
    case CloseCause::backend_reset:
    case CloseCause::idle_timeout:
    case CloseCause::half_close_timeout:
    case CloseCause::backend_down:
      return true;
  }
  std::abort();
}

// The backend is to be left, and the client isn't.
bool is_backends_own(CloseCause cause) {
  switch (cause) {
    case CloseCause::backend_down:
    case CloseCause::drained:
    case CloseCause::lower_tier_up:
      return true;
    case CloseCause::finished:
    case CloseCause::client_reset:
    case CloseCause::backend_reset:
    case CloseCause::idle_timeout:
    case CloseCause::half_close_timeout:
    case CloseCause::shutdown:
      return false;
  }
  std::abort();
}

// How a connection ended both of whose directions are over.
CloseCause cause_of(ResetBy reset) {
  switch (reset) {
    case ResetBy::nobody:
      return CloseCause::finished;
    case ResetBy::client:
      return CloseCause::client_reset;
    case ResetBy::backend:
      return CloseCause::backend_reset;
  }
  std::abort();
}

}  // namespace

// Closing with RST throws away what the kernel hasn't got acknowledged yet, so a session that ends
// by a reset waits until its last bytes have arrived; one that ends by FIN can leave that to the
// kernel.
void Session::finish_when_delivered() {
  if (!was_reset()) {
    end(CloseCause::finished, false);
    return;
  }
  const auto now = context_.loop.now();
  if (!delivery_ends_) {
    delivery_ends_ = from_nanoseconds(record_.active_at) + service_->half_close_timeout;
    client_poll_.reset();
    backend_poll_.reset();
  }
  const bool delivered =
      unacknowledged_bytes(record_.client_fd) == 0 && unacknowledged_bytes(record_.backend_fd) == 0;
  if (delivered || now >= *delivery_ends_) {
    end(cause_of(record_.reset), true);
    return;
  }
  HOLDFAST_FAULT_POINT(session_delivery_waits);
  context_.deadlines.list(kDeliveryCheck).touch(*this);
}

// By the clock, not by the loop's turn: most connections live for less than a turn.
std::int64_t Session::nanoseconds_lived() const {
  return to_nanoseconds(Clock::now()) - record_.accepted_at;
}

bool Session::is_in_flight() const {
  return record_.to_backend.held > 0 || record_.to_client.held > 0 ||
         unacknowledged_bytes(record_.client_fd) > 0 ||
         unacknowledged_bytes(record_.backend_fd) > 0;
}

void Session::close(CloseCause cause) {
  if (record_.state == ConnectionState::connecting || record_.state == ConnectionState::waiting) {
    reject(state::Rejection::shutdown);
    return;
  }
  if (is_backends_own(cause) && !delivery_ends_ && replay(cause)) {
    return;
  }
  const bool may_wait = cause == CloseCause::idle_timeout;
  const bool cut_off = cause == CloseCause::backend_down || (!may_wait && is_busy());
  end(cause, was_reset() || cut_off || is_in_flight());
}

// A stream at full speed has moments in which nothing is in flight. A FIN in one of them would make
// what was cut off look complete.
bool Session::is_busy() const {
  const bool has_moved = record_.to_backend.delivered + record_.to_client.delivered > 0;
  return has_moved && from_nanoseconds(record_.active_at) + kBusy > context_.loop.now();
}

void Session::reject(state::Rejection reason) {
  reset_on_close(record_.client_fd);
  HOLDFAST_FAULT_POINT(session_reject_lingers);
  begin_closing();
  HOLDFAST_FAULT_POINT(session_closing);
  context_.counters.listeners[service_->listener].rejected[static_cast<std::size_t>(reason)].add(1);
  if (reason == state::Rejection::no_backend) {
    context_.counters.pools[service_->pool->index()].no_backend.add(1);
  }
  HOLDFAST_FAULT_POINT(session_reject_counted);
  log_end(context_, *service_, record_, client_name_,
          {.event = "connection rejected",
           .cause = to_string(reason),
           .failed = true,
           .nanoseconds_lived = nanoseconds_lived()});
  let_go();
}

void Session::end(CloseCause cause, bool reset) {
  assert(record_.state == ConnectionState::relaying);
  if (reset) {
    reset_on_close(record_.client_fd);
    reset_on_close(record_.backend_fd);
  }
  HOLDFAST_FAULT_POINT(session_end_lingers);
  begin_closing();
  HOLDFAST_FAULT_POINT(session_closing);
  const auto lived = nanoseconds_lived();
  context_.counters.backends[record_.backend].closed[static_cast<std::size_t>(cause)].add(1);
  context_.counters.pools[service_->pool->index()].connection_duration.observe(
      static_cast<std::uint64_t>(lived));
  HOLDFAST_FAULT_POINT(session_end_counted);
  log_end(context_, *service_, record_, client_name_,
          {.event = "connection closed",
           .cause = to_string(cause),
           .failed = is_failure(cause),
           .nanoseconds_lived = lived});
  let_go();
}

// Before it is counted, so that no successor counts it again, and before the descriptors are
// closed: a record that says so owns nothing any more.
void Session::begin_closing() {
  record_.state = ConnectionState::closing;
}

void Session::release_backend() {
  if (record_.backend != state::kNoBackend) {
    service_->pool->release(std::exchange(record_.backend, state::kNoBackend));
  }
}

void Session::let_go() {
  context_.counters.listeners[service_->listener].closed.add(1);
  HOLDFAST_FAULT_POINT(session_uncounted);
  DeadlineList::leave(*this);
  assert(record_.state == ConnectionState::closing);
  if (connector_) {
    connector_->abandon();
  }
  waiting_.reset();
  client_poll_.reset();
  backend_poll_.reset();
  HOLDFAST_FAULT_POINT(session_polls_gone);
  abort_flow(record_.to_backend, context_.pump_tools);
  abort_flow(record_.to_client, context_.pump_tools);
  HOLDFAST_FAULT_POINT(session_pipes_gone);
  replay_.stop();
  {
    const Fd client(std::exchange(record_.client_fd, -1));
    const Fd backend(std::exchange(record_.backend_fd, -1));
    HOLDFAST_FAULT_POINT(session_descriptors_forgotten);
  }
  // Not before its socket is closed: whoever gets the place would be one more than it takes.
  release_backend();
  HOLDFAST_FAULT_POINT(session_backend_released);
  owner_.on_session_end(*this);
  HOLDFAST_FAULT_POINT(session_given_back);
}

}  // namespace holdfast::relay
