#pragma once

#include <functional>

#include "holdfast/base/fd.h"
#include "holdfast/loop/poll.h"
#include "holdfast/loop/timer.h"

namespace holdfast::bench {

// Accepts what comes to a listening socket. On the loop's thread; what makes it owns it.
class Acceptor final : private loop::Poll::Handler {
 public:
  Acceptor(loop::Loop& loop, Fd listener, std::function<void(Fd)> on_accepted);

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;

  Fd listener_;
  std::function<void(Fd)> on_accepted_;
  loop::Poll poll_;
  loop::Timer pause_;  // accepting goes on when it fires
};

}  // namespace holdfast::bench
