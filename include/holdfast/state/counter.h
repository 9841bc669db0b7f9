#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>
#include <type_traits>

namespace holdfast::state {

// A number in shared memory that one thread writes and others read. Adding is a plain load and
// store, no locked instruction: the owner is alone in writing. Trivially copyable, so that it may
// live in a region that a later process maps again.
class Counter {
 public:
  void add(std::uint64_t amount) {
    std::atomic_ref<std::uint64_t> value(value_);
    value.store(value.load(std::memory_order_relaxed) + amount, std::memory_order_relaxed);
  }
  void set(std::uint64_t value) {
    std::atomic_ref<std::uint64_t>(value_).store(value, std::memory_order_relaxed);
  }
  // atomic_ref<const T> is C++26; reading through it writes nothing.
  [[nodiscard]] std::uint64_t get() const {
    return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(value_))
        .load(std::memory_order_relaxed);
  }

 private:
  std::uint64_t value_ = 0;
};

// A number that several threads add to and take from, such as connections on a backend.
class Gauge {
 public:
  void set(std::uint32_t value) {
    std::atomic_ref<std::uint32_t>(value_).store(value, std::memory_order_relaxed);
  }
  std::uint32_t increment() {
    return std::atomic_ref<std::uint32_t>(value_).fetch_add(1, std::memory_order_relaxed) + 1;
  }
  // Changes `expected` to `desired`, if that is what it is. True when this call did it.
  bool exchange(std::uint32_t expected, std::uint32_t desired) {
    return std::atomic_ref<std::uint32_t>(value_).compare_exchange_strong(
        expected, desired, std::memory_order_acq_rel);
  }
  void decrement() {
    std::atomic_ref<std::uint32_t>(value_).fetch_sub(1, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint32_t get() const {
    return std::atomic_ref<std::uint32_t>(const_cast<std::uint32_t&>(value_))
        .load(std::memory_order_relaxed);
  }

 private:
  std::uint32_t value_ = 0;
};

// Upper bounds of the duration histograms, in microseconds; a last bucket takes the rest. From a
// loopback connect to a connection of a day. Whole numbers: in floating point 30 s is more than a
// bound of 30 s.
inline constexpr std::array<std::uint64_t, 15> kDurationBounds = {
    100,        500,         1'000,         5'000,          10'000,
    50'000,     100'000,     500'000,       1'000'000,      5'000'000,
    30'000'000, 300'000'000, 1'800'000'000, 14'400'000'000, 86'400'000'000};

// Durations counted into fixed buckets by one thread.
struct Histogram {
  std::array<Counter, kDurationBounds.size() + 1> buckets;  // not cumulative
  Counter sum_nanoseconds;

  void observe(std::uint64_t nanoseconds) {
    std::size_t bucket = 0;
    while (bucket < kDurationBounds.size() && nanoseconds > kDurationBounds[bucket] * 1000) {
      ++bucket;
    }
    buckets[bucket].add(1);
    sum_nanoseconds.add(nanoseconds);
  }
};

// Sets all counters of a struct that has nothing else to 0, each as its readers may read it.
template <class Counters>
void clear(Counters& counters) {
  static_assert(std::is_trivially_copyable_v<Counters> && sizeof(Counters) % sizeof(Counter) == 0 &&
                alignof(Counters) == alignof(Counter));
  auto* const first = reinterpret_cast<Counter*>(&counters);
  for (auto& counter : std::span(first, sizeof(Counters) / sizeof(Counter))) {
    counter.set(0);
  }
}

}  // namespace holdfast::state
