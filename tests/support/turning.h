#pragma once

#include <uv.h>

#include <functional>
#include <memory>

#include "holdfast/base/fd.h"
#include "holdfast/loop/poll.h"
#include "holdfast/loop/timer.h"

namespace holdfast::testing {

// Turns the loop until the condition holds, which is looked at every millisecond; false when it
// doesn't within thirty seconds.
[[nodiscard]] bool turn_until(loop::Loop& loop, const std::function<bool()>& condition);

// Turns the loop so often without waiting, so that all that is ready by now is told.
void turn(loop::Loop& loop, int times = 5);

// open_descriptors(), not counting anew those that libuv keeps from the first loop on.
[[nodiscard]] std::size_t open_descriptors_beside_loops();

// Counts the turns of a loop: a few for each event while all is well, thousands while it spins.
class TurnCounter {
 public:
  explicit TurnCounter(loop::Loop& loop);
  TurnCounter(const TurnCounter&) = delete;

  [[nodiscard]] int turns() const { return turns_; }
  // How many turns the loop makes during that time, with whatever happens in it.
  [[nodiscard]] int during(Duration span);

 private:
  loop::Loop& loop_;
  std::unique_ptr<uv_check_t, loop::detail::CloseHandle> handle_;
  int turns_ = 0;
};

// A poll's handler made of a function.
class OnReady final : public loop::Poll::Handler {
 public:
  using Callback = std::function<void(loop::Poll&, loop::Readiness)>;
  explicit OnReady(Callback callback) : callback_(std::move(callback)) {}

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override {
    // A copy, since the callback may destroy what holds it.
    const auto callback = callback_;
    callback(poll, ready);
  }

  Callback callback_;
};

// A connected pair of Unix stream sockets: what one end sends, the other receives.
struct SocketPair {
  SocketPair();
  Fd near;
  Fd far;
};

}  // namespace holdfast::testing
