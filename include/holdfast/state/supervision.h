#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "holdfast/state/counter.h"

namespace holdfast::state {

// Why a worker had to be replaced.
enum class DeathCause : std::uint8_t {
  killed,    // SIGKILL from outside; the kernel's OOM killer looks the same
  crashed,   // a signal of its own making: SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT
  hung,      // the watchdog ended it
  exited,    // it returned, and nobody had asked it to
  guardian,  // the guardian died, and a new one needed a worker of its own
};
inline constexpr std::size_t kDeathCauses = 5;

[[nodiscard]] std::string_view to_string(DeathCause cause);

inline constexpr std::uint32_t kNoThread = 0xffff'ffff;

// What guardian and worker know of each other. Each field has one writer at a time, named with
// it; the worker is bounds-checked wherever the guardian reads.
struct Supervision {
  Gauge guardian_pid;  // guardian
  Gauge worker_pid;    // guardian
  Gauge generation;    // of the worker, from 1; guardian
  Gauge ending;        // 1 once it was asked to end; guardian
  Gauge last_cause;    // DeathCause of the worker before this one; guardian
  // When the worker before this one was found dead, nanoseconds of the monotonic clock; guardian.
  Counter died_at;
  // The relay thread that the last worker died of, kNoThread when none is known: the crashing
  // thread itself, or the guardian for one that hung.
  Gauge fatal_thread;
  std::array<Counter, kDeathCauses> restarts;  // guardian
  Counter quarantined;                         // worker's control thread
  Histogram recovery_duration;                 // worker's control thread
};

}  // namespace holdfast::state
