// How a session begins: it looks for a backend or waits for one, and does so again when what the
// client has sent is replayed.

#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"
#include "relay/backend_report.h"
#include "relay/session.h"
#include "relay/tried.h"

namespace holdfast::relay {

using loop::Readiness;
using state::CloseCause;
using state::ConnectionState;

void Session::start() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(session_begins);
  replay_.begin();
  record_.accepted_at = to_nanoseconds(Clock::now());
  record_.active_at = record_.accepted_at;
  record_.state = ConnectionState::connecting;
  HOLDFAST_FAULT_POINT(session_connecting);
  context_.counters.listeners[service_->listener].connections.add(1);
  HOLDFAST_FAULT_POINT(session_counted);
  connect();
}

void Session::make_connector() {
  Connector::Owner& owner = *this;
  connector_ = std::make_unique<Connector>(context_, *service_, record_, owner);
}

void Session::connect() {
  make_connector();
  connector_->begin();
}

void Session::on_nobody_left() {
  if (!connector_->may_go_on()) {
    reject(state::Rejection::no_backend);
    return;
  }
  connector_.reset();
  record_.active_at = to_nanoseconds(context_.loop.now());
  record_.state = ConnectionState::waiting;
  HOLDFAST_FAULT_POINT(session_waiting);
  begin_waiting();
  wait_or_reject(waiting_->begin(is_resumed_ || record_.attempts > 0));
}

void Session::on_client_hung_up() {
  reject(state::Rejection::client_left);
}

void Session::begin_waiting() {
  Waiting::Owner& owner = *this;
  waiting_.emplace(context_, *service_, record_, owner);
  waiting_->begin_deadline();
}

void Session::wait_or_reject(pool::Joined joined) {
  switch (joined) {
    case pool::Joined::waits:
      return;
    case pool::Joined::no_backend:
      reject(state::Rejection::no_backend);
      return;
    case pool::Joined::backends_full:
      reject(state::Rejection::backends_full);
      return;
    case pool::Joined::queue_full:
      reject(state::Rejection::queue_full);
      return;
  }
}

void Session::on_turn(const pool::Backend& backend) {
  waiting_.reset();
  record_.state = ConnectionState::connecting;
  HOLDFAST_FAULT_POINT(session_turn_taken);
  make_connector();
  connector_->begin_with(backend);
}

void Session::on_waited_too_long() {
  reject(state::Rejection::queue_timeout);
}

void Session::on_client_left() {
  reject(state::Rejection::queue_left);
}

void Session::on_connected(std::unique_ptr<loop::Poll> poll) {
  HOLDFAST_FAULT_POINT(session_connected);
  HOLDFAST_FAULT_POISON(poison, record_.client_fd);
  record_.state = ConnectionState::relaying;
  HOLDFAST_FAULT_POINT(session_relaying);
  backend_poll_ = std::move(poll);
  backend_poll_->hand_over(*this);
  connector_.reset();
  context_.counters.backends[record_.backend].connections.add(1);
  HOLDFAST_FAULT_POINT(session_relaying_counted);
  client_poll_.emplace(context_.loop, record_.client_fd, *this);
  mark_active();
  HOLDFAST_FAULT_POINT(session_relaying_polled);
  // The client may have written already; looking costs less than another turn of the loop.
  relay(Readiness{.readable = true, .writable = true}, Readiness{.writable = true});
}

void Session::resume_connecting() {
  is_resumed_ = true;
  Connector::forget(record_);
  HOLDFAST_FAULT_POINT(recovery_begins_again);
  if (replay_.rewind_again()) {
    connect();
  } else {
    reject(state::Rejection::no_backend);
  }
}

void Session::resume_waiting() {
  is_resumed_ = true;
  if (replay_.rewind_again()) {
    wait_or_reject(waiting_->begin_again());
  } else {
    reject(state::Rejection::no_backend);
  }
}

// Goes back to connecting with all that the client has sent; false when that can't be.
bool Session::replay(CloseCause cause) {
  if (!replay_.is_possible() || record_.attempts >= service_->pool->config().connect.attempts) {
    return false;
  }
  note_failed(record_, record_.backend);  // before the record forgets that it is with this one
  if (!replay_.rewind()) {
    return false;
  }
  to_backend_.is_unsettled = false;
  to_client_.is_unsettled = false;
  context_.counters.backends[record_.backend].closed[static_cast<std::size_t>(cause)].add(1);
  context_.counters.pools[service_->pool->index()].replays.add(1);
  HOLDFAST_FAULT_POINT(replay_counted);
  context_.log.debug("connection replayed", {{"pool", service_->pool->name()},
                                             {"backend", context_.backend_name(record_.backend)},
                                             {"bytes", record_.to_backend.held}});
  DeadlineList::leave(*this);
  client_poll_.reset();
  backend_poll_.reset();
  reset_on_close(record_.backend_fd);  // it needn't go on with what another one is asked now
  {
    const Fd backend(std::exchange(record_.backend_fd, -1));
    HOLDFAST_FAULT_POINT(replay_backend_forgotten);
  }
  release_backend();
  HOLDFAST_FAULT_POINT(replay_backend_released);
  is_judged_ = false;
  connect();
  return true;
}

}  // namespace holdfast::relay
