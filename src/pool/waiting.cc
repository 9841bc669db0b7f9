// The pool's side of its queue: who waits, and whose turn it is.

#include "holdfast/pool/candidacy.h"
#include "holdfast/pool/pool.h"

namespace holdfast::pool {

Joined Pool::join(Ticket& ticket, bool exceeds, TimePoint now) {
  const std::lock_guard lock(common_->mutex);
  auto& queue = common_->queue;
  // Whoever comes while it is held waits for those who were there before, whoever serves.
  if (!common_->held && !has_any({ticket.tried(), ticket.client(), now})) {
    return Joined::no_backend;
  }
  if (config_.queue.size == 0) {
    return Joined::backends_full;
  }
  queue.insert(ticket);
  count_waiting();
  // A place may have become free since pick() found none, or be one that nobody who waits may have.
  serve();
  if (queue.size() > config_.queue.size && !exceeds && queue.remove(ticket)) {
    count_waiting();
    return Joined::queue_full;
  }
  return Joined::waits;
}

Joined Pool::rejoin(Ticket& ticket) {
  if (backends_.empty()) {
    return Joined::no_backend;
  }
  const std::lock_guard lock(common_->mutex);
  common_->queue.insert(ticket);
  count_waiting();
  serve();
  return Joined::waits;
}

bool Pool::leave(Ticket& ticket) {
  const std::lock_guard lock(common_->mutex);
  if (!common_->queue.remove(ticket)) {
    return false;
  }
  count_waiting();
  return true;
}

void Pool::serve_waiting() {
  const std::lock_guard lock(common_->mutex);
  serve();
}

void Pool::hold() {
  const std::lock_guard lock(common_->mutex);
  common_->held = config_.queue.size > 0;  // without a queue nobody could wait for it
}

void Pool::open() {
  const std::lock_guard lock(common_->mutex);
  common_->held = false;
  serve();
}

void Pool::put_in_force(const std::shared_ptr<Pool>& pool) {
  pool->update();
  const std::lock_guard lock(pool->common_->mutex);
  pool->common_->in_force = pool;
  pool->serve();  // there may be more backends now, or higher limits
}

// Whether there is anybody at all for this client, with a place or not.
bool Pool::has_any(const PickRequest& request) const {
  const bool panics = reach().panics;
  return std::ranges::any_of(backends_, [&](const Backend& backend) {
    return backend.address && is_admitted(entry(backend)) &&
           (panics || is_healthy(entry(backend))) &&
           std::ranges::find(request.tried, backend.index) == request.tried.end();
  });
}

// By the pool in force, whichever it is that a place was freed in: it knows of new backends.
void Pool::serve() {
  if (common_->held || common_->queue.size() == 0) {
    return;
  }
  const auto in_force = common_->in_force.lock();
  (in_force ? *in_force : *this).serve_from_here();
}

void Pool::serve_from_here() {
  const auto now = Clock::now();
  auto& queue = common_->queue;
  Ticket* next = nullptr;
  for (auto* ticket = queue.first(); ticket != nullptr; ticket = next) {
    next = ticket->next();
    const auto* backend = take({ticket->tried(), ticket->client(), now});
    if (backend != nullptr) {
      queue.remove(*ticket);
      ticket->on_turn(backend->index, *backend->address);
    } else if (ticket->tried().empty()) {
      break;  // nothing is free; one that has tried some may only be unlucky
    }
  }
  count_waiting();
}

void Pool::count_waiting() {
  shared_.pools[index_].waiting.set(static_cast<std::uint32_t>(common_->queue.size()));
}

}  // namespace holdfast::pool
