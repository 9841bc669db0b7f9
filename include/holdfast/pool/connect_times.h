#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

#include "holdfast/base/clock.h"

namespace holdfast::pool {

// How long the successful connects of the last 10 to 20 seconds took: two histograms on a
// logarithmic scale, of which the older is emptied as the next span of 10 s begins. The clock is
// passed in. Any thread; one that counts while another empties may lose its count.
class ConnectTimes {
 public:
  // The p99 of fewer than these is left to chance.
  static constexpr std::uint32_t kLeastSamples = 50;

  void observe(Duration taken, TimePoint now);

  // An upper bound of it, at most a quarter too high.
  [[nodiscard]] std::optional<Duration> p99(TimePoint now) const;

  // hedge_delay() of the p99, looked at five times a second.
  [[nodiscard]] Duration delay(TimePoint now);

 private:
  static constexpr Duration kSpan = std::chrono::seconds(10);
  // Four to each power of two of microseconds, from 16 µs up to 16 s.
  static constexpr std::size_t kBuckets = 86;

  struct Span {
    std::atomic<std::int64_t> number{-1};
    std::array<std::atomic<std::uint32_t>, kBuckets> counts{};
  };

  [[nodiscard]] static std::size_t bucket_of(std::uint64_t microseconds);
  [[nodiscard]] static Duration bound_of(std::size_t bucket);

  std::array<Span, 2> spans_;
  std::atomic<std::int64_t> looks_again_{0};  // nanoseconds of the monotonic clock
  std::atomic<std::int64_t> delay_{0};        // nanoseconds
};

// After how long a second connect races one that isn't done: three times the p99, between 30 and
// 250 ms, rounded up to one of few values, since waiters for one span of time share a list
// (relay/deadlines). 100 ms while there is no p99.
[[nodiscard]] Duration hedge_delay(std::optional<Duration> p99);

}  // namespace holdfast::pool
