#pragma once

#include <functional>
#include <optional>

#include "holdfast/loop/poll.h"

namespace holdfast::worker {

// Tells when the process that a pidfd refers to has ended (pidfd_open(2)). On its loop's thread.
class GuardianWatch final : public loop::Poll::Handler {
 public:
  // The pidfd is borrowed; -1 watches nothing.
  GuardianWatch(loop::Loop& loop, int pidfd, const std::function<void()>& on_gone);

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;

  const std::function<void()>& on_gone_;
  std::optional<loop::Poll> poll_;
};

}  // namespace holdfast::worker
