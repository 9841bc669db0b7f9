#include "holdfast/pool/connect_times.h"

#include <algorithm>
#include <bit>

namespace holdfast::pool {
namespace {

using std::chrono::milliseconds;

constexpr unsigned kLowest = 4;    // power of two of the lowest bound, in microseconds
constexpr unsigned kHighest = 24;  // of the highest
constexpr auto kLookInterval = milliseconds(200);

constexpr milliseconds kUnknown{100};
constexpr std::array kDelays = {
    milliseconds(30),  milliseconds(40),  milliseconds(50),  milliseconds(65),  milliseconds(80),
    milliseconds(100), milliseconds(125), milliseconds(150), milliseconds(200), milliseconds(250)};

}  // namespace

std::size_t ConnectTimes::bucket_of(std::uint64_t microseconds) {
  if (microseconds < (1U << kLowest)) {
    return 0;
  }
  const auto power = static_cast<unsigned>(std::bit_width(microseconds)) - 1;
  if (power > kHighest) {
    return kBuckets - 1;
  }
  const auto quarter = (microseconds >> (power - 2)) & 3;
  return (power - kLowest) * 4 + quarter + 1;
}

Duration ConnectTimes::bound_of(std::size_t bucket) {
  if (bucket == 0) {
    return std::chrono::microseconds(1U << kLowest);
  }
  const auto power = kLowest + (bucket - 1) / 4;
  const auto quarter = (bucket - 1) % 4;
  return std::chrono::microseconds((4 + quarter + 1) << (power - 2));
}

void ConnectTimes::observe(Duration taken, TimePoint now) {
  const auto number = now.time_since_epoch() / kSpan;
  auto& span = spans_[static_cast<std::size_t>(number) % spans_.size()];
  auto known = span.number.load(std::memory_order_relaxed);
  if (known != number && span.number.compare_exchange_strong(known, number)) {
    for (auto& count : span.counts) {
      count.store(0, std::memory_order_relaxed);
    }
  }
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(taken).count();
  const auto bucket =
      bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds, 0)));
  span.counts[bucket].fetch_add(1, std::memory_order_relaxed);
}

std::optional<Duration> ConnectTimes::p99(TimePoint now) const {
  const auto number = now.time_since_epoch() / kSpan;
  std::array<std::uint64_t, kBuckets> counts{};
  std::uint64_t all = 0;
  for (const auto& span : spans_) {
    const auto known = span.number.load(std::memory_order_relaxed);
    if (known != number && known != number - 1) {
      continue;
    }
    for (std::size_t i = 0; i < kBuckets; ++i) {
      const auto count = span.counts[i].load(std::memory_order_relaxed);
      counts[i] += count;
      all += count;
    }
  }
  if (all < kLeastSamples) {
    return std::nullopt;
  }
  std::uint64_t above = all / 100;
  std::size_t bucket = kBuckets - 1;
  while (bucket > 0 && counts[bucket] <= above) {
    above -= counts[bucket--];
  }
  return bound_of(bucket);
}

Duration ConnectTimes::delay(TimePoint now) {
  const auto at = to_nanoseconds(now);
  if (at >= looks_again_.load(std::memory_order_relaxed)) {
    delay_.store(hedge_delay(p99(now)).count(), std::memory_order_relaxed);
    looks_again_.store(at + Duration(kLookInterval).count(), std::memory_order_relaxed);
  }
  return Duration(delay_.load(std::memory_order_relaxed));
}

Duration hedge_delay(std::optional<Duration> p99) {
  if (!p99) {
    return kUnknown;
  }
  const auto place = std::ranges::lower_bound(kDelays, 3 * *p99, {},
                                              [](milliseconds delay) { return Duration(delay); });
  return place == kDelays.end() ? kDelays.back() : *place;
}

}  // namespace holdfast::pool
