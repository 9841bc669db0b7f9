#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "holdfast/config/config.h"

namespace holdfast::balance {

// The algorithms: pure functions over candidates that may all be used. No sockets, no clock, no
// locks; the caller sees to it that nobody else moves the turns meanwhile.

struct Candidate {
  std::uint32_t weight = 1;      // above 0
  std::uint32_t active = 0;      // connections it has now
  std::int64_t* turn = nullptr;  // its place in smooth weighted round robin, kept between picks
};

// Which candidate takes the next connection: its place in the span, nothing when that is empty.
[[nodiscard]] std::optional<std::size_t> pick(Balance algorithm,
                                              std::span<const Candidate> candidates);

}  // namespace holdfast::balance
