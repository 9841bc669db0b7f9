#include "holdfast/guardian/watchdog.h"

#include <algorithm>

namespace holdfast::guardian {
namespace {

using namespace std::chrono_literals;

// A hung worker is given this long to write its stack.
constexpr Duration kAbortGrace = 500ms;
// A worker that is starting or recovering may be at names that don't resolve.
constexpr Duration kStartLimit = 60s;
// What a watchdog can be (config/yaml.cc); the worker may have written anything.
constexpr auto kShortest = 1500ms;
constexpr auto kLongest = 24h;

}  // namespace

void Watchdog::begin(TimePoint now) {
  const auto stamp = static_cast<std::uint64_t>(to_nanoseconds(now));
  shared_.control_heartbeat.set(stamp);
  for (auto& thread : shared_.per_thread) {
    if (thread.heartbeat.get() != 0) {
      thread.heartbeat.set(stamp);
    }
  }
  started_ = now;
  last_look_ = now;
  hung_ = false;
}

Watchdog::Verdict Watchdog::look(TimePoint now) {
  // A guardian that was late itself, in a machine that stood still, can't blame the worker, which
  // has all its time again from here on.
  const auto limit = this->limit();
  if (now - last_look_ > limit / 2) {
    awake_since_ = now;
  }
  last_look_ = now;
  if (hung_) {
    return now - hung_since_ > kAbortGrace ? Verdict::wasted : Verdict::alive;
  }
  if (limit == Duration::zero() || !is_overdue(now, limit)) {
    return Verdict::alive;
  }
  hung_ = true;
  hung_since_ = now;
  return Verdict::hangs;
}

Duration Watchdog::limit() const {
  const auto milliseconds = std::chrono::milliseconds(shared_.supervision.watchdog.get());
  return milliseconds == 0ms ? Duration::zero()
                             : std::clamp<Duration>(milliseconds, kShortest, kLongest);
}

bool Watchdog::is_overdue(TimePoint now, Duration limit) {
  hung_thread_ = state::kNoThread;
  if (shared_.current_phase() == state::Phase::starting) {
    return now - std::max(started_, awake_since_) > kStartLimit;
  }
  const auto is_silent = [&](const state::Counter& heartbeat) {
    const auto last = from_nanoseconds(static_cast<std::int64_t>(heartbeat.get()));
    return now - std::max(last, awake_since_) > limit;
  };
  if (is_silent(shared_.control_heartbeat)) {
    return true;
  }
  const auto threads = std::min<std::size_t>(shared_.threads.get(), state::kMaxThreads);
  for (std::size_t index = 0; index < threads; ++index) {
    const auto& heartbeat = shared_.per_thread[index].heartbeat;
    if (heartbeat.get() != 0 && is_silent(heartbeat)) {
      hung_thread_ = static_cast<unsigned>(index);
      shared_.supervision.fatal_thread.set(hung_thread_);
      return true;
    }
  }
  return false;
}

}  // namespace holdfast::guardian
