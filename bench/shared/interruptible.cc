#include "shared/interruptible.h"

#include <algorithm>
#include <csignal>

namespace holdfast::bench {

using namespace std::chrono_literals;

bool wait_until(TimePoint time, Balancer& balancer) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGINT);
  sigaddset(&ending, SIGTERM);
  for (auto left = time - Clock::now(); left > 0s; left = time - Clock::now()) {
    const auto slice = std::min<Duration>(left, 100ms);
    const timespec limit{0, std::chrono::nanoseconds(slice).count()};
    if (::sigtimedwait(&ending, nullptr, &limit) > 0) {
      return false;
    }
    balancer.drain_messages();
  }
  return true;
}

}  // namespace holdfast::bench
