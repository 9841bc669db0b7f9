#include "relay/waiting.h"

#include <algorithm>
#include <utility>

#include "holdfast/base/fault.h"
#include "relay/client_key.h"
#include "relay/tried.h"

namespace holdfast::relay {

Waiting::Waiting(Context& context, const Service& service, state::ConnectionRecord& record,
                 Owner& owner)
    : Ticket(record.accepted_at, failed(record).all(), client_key(service.pool->config(), record)),
      context_(context),
      service_(service),
      record_(record),
      owner_(owner) {}

Waiting::~Waiting() {
  call_->waiting = nullptr;
  if (is_in_ && !service_.pool->leave(*this)) {
    service_.pool->release(backend_.index);  // its turn had come, and nobody is there to take it
  }
}

void Waiting::begin_deadline() {
  context_.deadlines.list(service_.pool->config().queue.timeout)
      .touch(*this, from_nanoseconds(record_.active_at));
}

pool::Joined Waiting::begin(bool exceeds) {
  return watch(service_.pool->join(*this, exceeds, context_.loop.now()));
}

pool::Joined Waiting::begin_again() {
  return watch(service_.pool->rejoin(*this));
}

// Looks after the client from now on, if it is in the queue.
pool::Joined Waiting::watch(pool::Joined joined) {
  if (joined == pool::Joined::waits) {
    is_in_ = true;
    // One that is to be replayed may have said FIN long ago, as clients do that then wait for their
    // answer.
    const bool was_served = record_.replay == state::ReplayState::keeping;
    ClientWatch::Owner& owner = *this;
    client_.emplace(context_, record_.client_fd,
                    was_served ? ClientWatch::Leaving::by_hangup : ClientWatch::Leaving::by_fin,
                    owner);
  }
  HOLDFAST_FAULT_POINT(waiting_begun);
  return joined;
}

// Any thread, with the pool locked, while this is in the queue: so its relay is there as well.
void Waiting::on_turn(std::uint16_t backend, const SocketAddress& address) {
  backend_.index = backend;
  backend_.address = address;
  HOLDFAST_FAULT_POINT(waiting_served);
  context_.mailbox.post([call = call_] {
    if (call->waiting != nullptr) {
      call->waiting->take_turn();
    }
  });
}

void Waiting::take_turn() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(waiting_turn);
  is_in_ = false;
  const auto waited = to_nanoseconds(Clock::now()) - record_.active_at;
  context_.counters.pools[service_.pool->index()].queue_wait.observe(
      static_cast<std::uint64_t>(std::max<std::int64_t>(waited, 0)));
  const auto backend = std::move(backend_);
  owner_.on_turn(backend);
}

void Waiting::on_client_left() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(waiting_left);
  owner_.on_client_left();
}

void Waiting::on_deadline() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(waiting_timed_out);
  owner_.on_waited_too_long();
}

}  // namespace holdfast::relay
