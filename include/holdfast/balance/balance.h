#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "holdfast/balance/random.h"
#include "holdfast/config/config.h"

namespace holdfast::balance {

// The algorithms: pure functions over candidates that may all be used. No sockets, no clock, no
// locks; the caller sees to it that nobody else moves the turns or draws meanwhile.

struct Candidate {
  std::uint32_t weight = 1;      // above 0
  std::uint32_t active = 0;      // connections it has now
  std::int64_t* turn = nullptr;  // its place in smooth weighted round robin, kept between picks
  std::uint64_t identity = 0;    // a hash of its name
};

// What a pick may go by besides the candidates.
struct Chance {
  std::uint64_t client;  // a hash of what the client is recognised by
  Random& random;
};

// Which candidate takes the next connection: its place in the span, nothing when that is empty.
// maglev here is what its table can't answer, for a client whose entries all belong to backends
// that can't be used: the same answer for the same client as long as the candidates are the same.
[[nodiscard]] std::optional<std::size_t> pick(Balance algorithm,
                                              std::span<const Candidate> candidates, Chance chance);

}  // namespace holdfast::balance
