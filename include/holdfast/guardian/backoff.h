#pragma once

#include "holdfast/base/clock.h"

namespace holdfast::guardian {

// How long to wait before a successor is started. The first deaths cost nothing, so that a crash
// is a matter of milliseconds; a worker that dies again and again as soon as it lives is started
// less and less often, up to once a second. Pure.
class Backoff {
 public:
  // A worker died that had lived this long. Returns what to wait.
  [[nodiscard]] Duration after_life_of(Duration life);

 private:
  unsigned short_lives_ = 0;
};

}  // namespace holdfast::guardian
