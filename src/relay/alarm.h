#pragma once

#include "relay/deadlines.h"

namespace holdfast::relay {

// One of several deadlines of an owner: calls a member of it. The owner's own, on its thread.
template <class Owner>
class Alarm final : public Waiter {
 public:
  Alarm(Owner& owner, void (Owner::*reached)()) : owner_(owner), reached_(reached) {}

  // The owner may end, and this with it, before it returns.
  void on_deadline() override { (owner_.*reached_)(); }

 private:
  Owner& owner_;
  void (Owner::*reached_)();
};

}  // namespace holdfast::relay
