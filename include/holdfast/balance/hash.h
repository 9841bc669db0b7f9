#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace holdfast::balance {

// Hashes that come out the same in every build and on every machine. Against nobody who chooses
// his input: who may choose his address has the backend that it stands for anyway.

// Spreads whatever differs in `value` over all 64 bits (the finalizer of splitmix64).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xbf58'476d'1ce4'e5b9;
  value = (value ^ (value >> 27)) * 0x94d0'49bb'1331'11eb;
  return value ^ (value >> 31);
}

// FNV-1a of the bytes, mixed. Another seed is another hash.
[[nodiscard]] constexpr std::uint64_t hash(std::string_view bytes, std::uint64_t seed = 0) {
  std::uint64_t value = 0xcbf2'9ce4'8422'2325 ^ mix(seed);
  for (const char byte : bytes) {
    value = (value ^ static_cast<unsigned char>(byte)) * 0x100'0000'01b3;
  }
  return mix(value);
}

// A hash as a number from 0 to below 1.
[[nodiscard]] constexpr double fraction(std::uint64_t hash) {
  return static_cast<double>(hash >> 11) * 0x1p-53;
}

}  // namespace holdfast::balance
