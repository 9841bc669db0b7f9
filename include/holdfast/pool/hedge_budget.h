#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>

#include "holdfast/base/clock.h"

namespace holdfast::pool {

// How many connects a pool may begin besides those that clients ask for, so that a pool that has
// become slow isn't asked twice as much: a tenth of the connects of the last 10 s, or a few where
// that is less. The clock is passed in. Any thread.
class HedgeBudget {
 public:
  static constexpr std::uint32_t kFloor = 5;   // in 10 s
  static constexpr std::uint32_t kShare = 10;  // one extra in so many

  // A connect that a client needs.
  void deposit(TimePoint now);

  // An extra one; false: the budget is spent.
  [[nodiscard]] bool withdraw(TimePoint now);
  // It wasn't begun after all.
  void refund(TimePoint now);

 private:
  // Ten slices of a second, each a count under the number of its second.
  static constexpr std::size_t kSlices = 10;
  class Window {
   public:
    void add(std::int64_t second, std::int32_t amount);
    [[nodiscard]] std::int64_t sum(std::int64_t second) const;

   private:
    std::array<std::atomic<std::uint64_t>, kSlices> slices_{};
  };

  Window asked_;
  Window extra_;
  std::mutex mutex_;  // so that two threads can't both take the last one
};

}  // namespace holdfast::pool
