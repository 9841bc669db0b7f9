#include "holdfast/pool/hedge_budget.h"

#include <algorithm>

namespace holdfast::pool {
namespace {

std::int64_t second_of(TimePoint now) {
  return now.time_since_epoch() / std::chrono::seconds(1);
}

// A slice: the low half of its second's number, and a count.
constexpr std::uint64_t pack(std::uint32_t second, std::uint32_t count) {
  return (std::uint64_t{second} << 32) | count;
}
constexpr std::uint32_t second_in(std::uint64_t slice) {
  return static_cast<std::uint32_t>(slice >> 32);
}
constexpr std::uint32_t count_in(std::uint64_t slice) {
  return static_cast<std::uint32_t>(slice);
}

}  // namespace

void HedgeBudget::Window::add(std::int64_t second, std::int32_t amount) {
  const auto number = static_cast<std::uint32_t>(second);
  auto& slice = slices_[number % kSlices];
  auto before = slice.load(std::memory_order_relaxed);
  std::uint64_t after = 0;
  do {
    const std::int64_t count = second_in(before) == number ? count_in(before) : 0;
    after = pack(number, static_cast<std::uint32_t>(std::max<std::int64_t>(count + amount, 0)));
  } while (!slice.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

std::int64_t HedgeBudget::Window::sum(std::int64_t second) const {
  const auto number = static_cast<std::uint32_t>(second);
  std::int64_t sum = 0;
  for (const auto& one : slices_) {
    const auto slice = one.load(std::memory_order_relaxed);
    if (number - second_in(slice) < kSlices) {
      sum += count_in(slice);
    }
  }
  return sum;
}

void HedgeBudget::deposit(TimePoint now) {
  asked_.add(second_of(now), 1);
}

bool HedgeBudget::withdraw(TimePoint now) {
  const std::lock_guard lock(mutex_);
  const auto second = second_of(now);
  const auto most = std::max<std::int64_t>(asked_.sum(second) / kShare, kFloor);
  if (extra_.sum(second) >= most) {
    return false;
  }
  extra_.add(second, 1);
  return true;
}

void HedgeBudget::refund(TimePoint now) {
  const std::lock_guard lock(mutex_);
  extra_.add(second_of(now), -1);
}

}  // namespace holdfast::pool
