#pragma once

#include <cstdint>

#include "holdfast/balance/hash.h"

namespace holdfast::balance {

// Random numbers (splitmix64): a state of 64 bits, which whoever draws passes along.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9e37'79b9'7f4a'7c15;
    return mix(state_);
  }

  // From 0 to below `bound`, which is above 0. By the upper half of a product: no division, and no
  // bias that anybody could see below 2^32.
  std::uint64_t below(std::uint64_t bound) {
    return static_cast<std::uint64_t>((static_cast<Product>(next()) * bound) >> 64);
  }

 private:
  __extension__ using Product = unsigned __int128;

  std::uint64_t state_;
};

}  // namespace holdfast::balance
