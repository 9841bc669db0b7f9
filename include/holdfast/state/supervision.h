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
  guardian,  // the guardian was gone, and a new one needed a worker of its own
  upgrade,   // it made way for one of another program file
};
inline constexpr std::size_t kDeathCauses = 6;

[[nodiscard]] std::string_view to_string(DeathCause cause);

inline constexpr std::uint32_t kNoThread = 0xffff'ffff;

// Where an upgrade stands while two images of the program could serve. Exactly one of them may
// leave `trying`: the new worker when it is ready to go on with the connections, or the old image
// when it takes them back.
enum class UpgradeState : std::uint32_t {
  none,
  trying,
  committed,
  rolled_back,  // until what was to take over is gone
};

// How an upgrade ended.
enum class UpgradeResult : std::uint8_t {
  succeeded,
  refused,      // the new program was no good when it was looked at; nothing was touched
  rolled_back,  // it failed when it was to take over; the old image goes on
};
inline constexpr std::size_t kUpgradeResults = 3;

// Why one was rolled back.
enum class UpgradeFailure : std::uint8_t {
  none,
  not_executed,  // execve(2) refused it; detail: the errno
  ended,         // the new image ended before its worker was ready
  hung,          // its worker wasn't ready in time; detail: milliseconds that it was given
};
inline constexpr std::size_t kUpgradeFailures = 4;

[[nodiscard]] std::string_view to_string(UpgradeResult result);
[[nodiscard]] std::string_view to_string(UpgradeFailure failure);

// The last upgrade that got as far as trying, and all of them by how they ended.
struct UpgradeRecord {
  Gauge state;    // UpgradeState
  Gauge number;   // of those that have ended after they were tried; written last
  Gauge result;   // UpgradeResult of that one
  Gauge failure;  // UpgradeFailure of that one
  Gauge detail;   // of the failure
  std::array<Counter, kUpgradeResults> total;  // `refused` by the control thread, else guardian
};

// Notes how an upgrade ended. All but `refused` count as one that was tried.
void finish(UpgradeRecord& upgrade, UpgradeResult result,
            UpgradeFailure failure = UpgradeFailure::none, std::uint32_t detail = 0);

// What guardian and worker know of each other. Each field has one writer at a time, named with
// it; the worker is bounds-checked wherever the guardian reads.
struct Supervision {
  // Whoever takes a dead guardian's place exchanges its pid for another one, or for 0 while it is
  // at it: its worker, or the keeper of an upgrade, but not both.
  Gauge guardian_pid;
  Gauge worker_pid;  // guardian
  Gauge generation;  // of the worker, from 1; guardian
  Gauge ending;      // 1 once it was asked to end; guardian
  Gauge leaving;     // 1 once the guardian left its worker to the next one on purpose; guardian
  Gauge watchdog;    // milliseconds, 0: none; control thread
  Gauge oom_score;   // oom_score_adj of the first guardian, plus 1000; guardian
  Gauge last_cause;  // DeathCause of the worker before this one; guardian
  // When the worker before this one was found dead, nanoseconds of the monotonic clock; guardian.
  Counter died_at;
  // The relay thread that the last worker died of, kNoThread when none is known: the crashing
  // thread itself, or the guardian for one that hung.
  Gauge fatal_thread;
  std::array<Counter, kDeathCauses> restarts;  // guardian
  Counter quarantined;                         // worker's control thread
  Histogram recovery_duration;                 // worker's control thread
  UpgradeRecord upgrade;
};

}  // namespace holdfast::state
