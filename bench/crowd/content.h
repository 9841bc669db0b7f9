#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast::bench {

// The bytes of a transfer: as many as wanted, a function of seed and position. So either end knows
// them without having them, and a byte that is lost, doubled or moved makes all that follow wrong.
class Content {
 public:
  explicit Content(std::uint64_t seed) : seed_(seed) {}

  // Writes the bytes from `position` on.
  void fill(std::uint64_t position, std::span<std::byte> bytes) const;
  // How many of the bytes are not those from `position` on.
  [[nodiscard]] std::uint64_t count_wrong(std::uint64_t position,
                                          std::span<const std::byte> bytes) const;

 private:
  std::uint64_t seed_;
};

// Over any number of bytes, in pieces of any size: FNV-1a, eight bytes at a time. Not for use
// against anybody who means harm.
class Checksum {
 public:
  void add(std::span<const std::byte> bytes);
  [[nodiscard]] std::uint64_t value() const;

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
  std::array<std::byte, sizeof(std::uint64_t)> rest_{};  // the bytes of a word not yet complete
  std::size_t rest_size_ = 0;
};

// A number as it is sent over a connection, least significant byte first.
using NumberBytes = std::array<std::byte, sizeof(std::uint64_t)>;
[[nodiscard]] NumberBytes to_bytes(std::uint64_t number);
[[nodiscard]] std::uint64_t from_bytes(const NumberBytes& bytes);

}  // namespace holdfast::bench
