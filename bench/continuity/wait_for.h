#pragma once

#include <thread>

#include "holdfast/base/clock.h"

namespace holdfast::bench {

// Whether the condition became true within the limit.
template <class Condition>
bool wait_for(Condition condition, Duration limit) {
  const auto deadline = Clock::now() + limit;
  while (!condition()) {
    if (Clock::now() >= deadline) {
      return false;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

}  // namespace holdfast::bench
