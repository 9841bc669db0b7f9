#include "holdfast/pool/queue.h"

#include <cassert>

namespace holdfast::pool {

void Queue::insert(Ticket& ticket) {
  assert(!ticket.is_in_);
  // From the end: whoever arrived last is nearly always the one that comes.
  Ticket* before = last_;
  while (before != nullptr && before->arrived_at_ > ticket.arrived_at_) {
    before = before->previous_;
  }
  ticket.previous_ = before;
  ticket.next_ = before != nullptr ? before->next_ : first_;
  (before != nullptr ? before->next_ : first_) = &ticket;
  (ticket.next_ != nullptr ? ticket.next_->previous_ : last_) = &ticket;
  ticket.is_in_ = true;
  ++size_;
}

bool Queue::remove(Ticket& ticket) {
  if (!ticket.is_in_) {
    return false;
  }
  (ticket.previous_ != nullptr ? ticket.previous_->next_ : first_) = ticket.next_;
  (ticket.next_ != nullptr ? ticket.next_->previous_ : last_) = ticket.previous_;
  ticket.previous_ = nullptr;
  ticket.next_ = nullptr;
  ticket.is_in_ = false;
  --size_;
  return true;
}

}  // namespace holdfast::pool
