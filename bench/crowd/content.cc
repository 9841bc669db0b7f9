#include "crowd/content.h"

#include <algorithm>
#include <cstring>

namespace holdfast::bench {
namespace {

constexpr std::size_t kWord = sizeof(std::uint64_t);

// splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014) has no
// state but a counter, so that any word can be had by itself.
std::uint64_t word_at(std::uint64_t seed, std::uint64_t number) {
  auto word = seed + (number + 1) * 0x9e3779b97f4a7c15;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

// Calls use(place in the piece, the word's bytes that belong there) over a piece of the content.
template <class Use>
void for_each_word(std::uint64_t seed, std::uint64_t position, std::size_t size, Use use) {
  std::size_t done = 0;
  while (done < size) {
    const auto at = position + done;
    const auto word = word_at(seed, at / kWord);
    std::array<std::byte, kWord> bytes;
    std::memcpy(bytes.data(), &word, kWord);
    const auto skipped = static_cast<std::size_t>(at % kWord);
    const auto count = std::min(kWord - skipped, size - done);
    use(done, std::span<const std::byte>(bytes).subspan(skipped, count));
    done += count;
  }
}

std::uint64_t mix(std::uint64_t value, const std::array<std::byte, kWord>& bytes) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes.data(), kWord);
  return (value ^ word) * 0x100000001b3;
}

}  // namespace

void Content::fill(std::uint64_t position, std::span<std::byte> bytes) const {
  for_each_word(seed_, position, bytes.size(), [&](std::size_t place, auto part) {
    std::memcpy(bytes.data() + place, part.data(), part.size());
  });
}

std::uint64_t Content::count_wrong(std::uint64_t position, std::span<const std::byte> bytes) const {
  std::uint64_t wrong = 0;
  for_each_word(seed_, position, bytes.size(), [&](std::size_t place, auto part) {
    const auto got = bytes.subspan(place, part.size());
    if (std::memcmp(got.data(), part.data(), part.size()) == 0) {
      return;
    }
    for (std::size_t i = 0; i < part.size(); ++i) {
      wrong += got[i] == part[i] ? 0 : 1;
    }
  });
  return wrong;
}

void Checksum::add(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const auto count = std::min(kWord - rest_size_, bytes.size());
    std::memcpy(rest_.data() + rest_size_, bytes.data(), count);
    bytes = bytes.subspan(count);
    rest_size_ += count;
    if (rest_size_ == kWord) {
      value_ = mix(value_, rest_);
      rest_size_ = 0;
    }
  }
}

std::uint64_t Checksum::value() const {
  auto last = rest_;
  std::fill(last.begin() + static_cast<std::ptrdiff_t>(rest_size_), last.end(), std::byte{0});
  return mix(value_, last) + rest_size_;
}

NumberBytes to_bytes(std::uint64_t number) {
  NumberBytes bytes;
  for (auto& byte : bytes) {
    byte = static_cast<std::byte>(number & 0xff);
    number >>= 8;
  }
  return bytes;
}

std::uint64_t from_bytes(const NumberBytes& bytes) {
  std::uint64_t number = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    number |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
  }
  return number;
}

}  // namespace holdfast::bench
