#include "relay/deadlines.h"

#include <algorithm>
#include <cassert>

namespace holdfast::relay {

Waiter::~Waiter() {
  DeadlineList::leave(*this);
}

DeadlineList::DeadlineList(loop::Loop& loop, Duration timeout)
    : loop_(loop), timeout_(timeout), timer_(loop, [this] { expire(); }) {}

DeadlineList::~DeadlineList() {
  assert(first_ == nullptr && "somebody still waits");
}

void DeadlineList::touch(Waiter& waiter, TimePoint since) {
  leave(waiter);
  waiter.list_ = this;
  const auto now = loop_.now();
  waiter.due_ = std::clamp(since, now - timeout_, now) + timeout_;
  assert(last_ == nullptr || last_->due_ <= waiter.due_);
  waiter.previous_ = last_;
  (last_ != nullptr ? last_->next_ : first_) = &waiter;
  last_ = &waiter;
  // A running timer is left alone: it fires for whoever was first then, and is set anew there.
  // Setting it at every touch would cost more than the touch.
  if (!timer_.is_running()) {
    timer_.start_once(waiter.due_ - now);
  }
}

void DeadlineList::leave(Waiter& waiter) {
  if (waiter.list_ != nullptr) {
    waiter.list_->unlink(waiter);
  }
}

void DeadlineList::unlink(Waiter& waiter) {
  (waiter.previous_ != nullptr ? waiter.previous_->next_ : first_) = waiter.next_;
  (waiter.next_ != nullptr ? waiter.next_->previous_ : last_) = waiter.previous_;
  waiter.previous_ = nullptr;
  waiter.next_ = nullptr;
  waiter.list_ = nullptr;
}

void DeadlineList::expire() {
  const auto now = loop_.now();
  while (first_ != nullptr && first_->due_ <= now) {
    auto& waiter = *first_;
    unlink(waiter);
    waiter.on_deadline();
  }
  if (first_ != nullptr) {
    timer_.start_once(first_->due_ - now);  // above 0: it never spins on what is due (scar 25)
  }
}

DeadlineList& Deadlines::list(Duration timeout) {
  auto& list = lists_[timeout];
  if (!list) {
    list = std::make_unique<DeadlineList>(loop_, timeout);
  }
  return *list;
}

}  // namespace holdfast::relay
