#pragma once

#include <cstdint>

#include "holdfast/base/clock.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::guardian {

// Judges by the heartbeats in shared memory whether a worker hangs: one whose control thread or any
// relay thread has been silent for the time that the configuration says (`watchdog`; 0: nobody is
// judged). The guardian's, on its one thread; what a worker wrote is believed within limits.
class Watchdog {
 public:
  enum class Verdict : std::uint8_t {
    alive,
    hangs,   // as of this look: to be asked for its stack (SIGABRT)
    wasted,  // it was asked long enough ago
  };

  explicit Watchdog(state::SharedState& shared) : shared_(shared) {}

  // A worker starts, and has all its time. How silent the one before was is forgotten.
  void begin(TimePoint now);

  // To be called several times within limit(), of a worker that isn't expected to end.
  [[nodiscard]] Verdict look(TimePoint now);

  // After how long a silence a worker hangs. Zero: never.
  [[nodiscard]] Duration limit() const;

  // Whether the worker that was begun last was found to hang.
  [[nodiscard]] bool found_it_hung() const { return hung_; }
  // The first thread found silent then: of relay threads the index, kNoThread for the control
  // thread or a worker that didn't come to serve.
  [[nodiscard]] unsigned hung_thread() const { return hung_thread_; }

 private:
  [[nodiscard]] bool is_overdue(TimePoint now, Duration limit);

  state::SharedState& shared_;
  TimePoint started_{};
  TimePoint last_look_{};
  TimePoint awake_since_{};  // after a time in which it didn't look
  TimePoint hung_since_{};
  bool hung_ = false;
  unsigned hung_thread_ = state::kNoThread;
};

}  // namespace holdfast::guardian
