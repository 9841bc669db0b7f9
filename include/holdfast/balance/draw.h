#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "holdfast/balance/random.h"

namespace holdfast::balance {

// Weighted draws among `count` places, without a list of them: `weight_at(place)` says the weight
// of one, 0 for a place that may not be drawn. Pure but for the generator's state.

// By rejection: any place, accepted as often as its weight is of the `heaviest`, which is at least
// 1. Looks at two or three places however many there are; at all of them only when few may be
// drawn. Nothing when none may.
template <class WeightAt>
[[nodiscard]] std::optional<std::size_t> draw(std::size_t count, std::uint32_t heaviest,
                                              WeightAt weight_at, Random& random) {
  constexpr int kTries = 16;
  if (count == 0) {
    return std::nullopt;
  }
  for (int i = 0; i < kTries; ++i) {
    const auto place = static_cast<std::size_t>(random.below(count));
    const std::uint32_t weight = weight_at(place);
    if (weight > 0 && random.below(heaviest) < weight) {
      return place;
    }
  }
  std::uint64_t total = 0;
  for (std::size_t place = 0; place < count; ++place) {
    total += weight_at(place);
  }
  if (total == 0) {
    return std::nullopt;
  }
  auto left = random.below(total);
  std::optional<std::size_t> last;  // weights may change while they are summed up
  for (std::size_t place = 0; place < count; ++place) {
    const std::uint32_t weight = weight_at(place);
    if (left < weight) {
      return place;
    }
    left -= weight;
    last = weight > 0 ? place : last;
  }
  return last;
}

// The less loaded of two that were drawn, active_at(place) / weight. Of two alike the first, so
// that an idle pool is shared by weight.
template <class WeightAt, class ActiveAt>
[[nodiscard]] std::optional<std::size_t> draw_two(std::size_t count, std::uint32_t heaviest,
                                                  WeightAt weight_at, ActiveAt active_at,
                                                  Random& random) {
  const auto first = draw(count, heaviest, weight_at, random);
  if (!first) {
    return std::nullopt;
  }
  const auto second = draw(
      count, heaviest, [&](std::size_t place) { return place == *first ? 0 : weight_at(place); },
      random);
  if (!second) {
    return first;
  }
  const std::uint64_t first_load = std::uint64_t{active_at(*first)} * weight_at(*second);
  const std::uint64_t second_load = std::uint64_t{active_at(*second)} * weight_at(*first);
  return second_load < first_load ? second : first;
}

}  // namespace holdfast::balance
