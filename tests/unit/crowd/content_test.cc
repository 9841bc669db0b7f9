#include "crowd/content.h"

#include <gtest/gtest.h>

#include <vector>

namespace holdfast::bench {
namespace {

std::vector<std::byte> content(std::uint64_t seed, std::uint64_t position, std::size_t size) {
  std::vector<std::byte> bytes(size);
  Content(seed).fill(position, bytes);
  return bytes;
}

TEST(Content, is_the_same_in_pieces_of_any_size) {
  const auto whole = content(7, 0, 100);
  for (std::size_t begin = 0; begin < whole.size(); ++begin) {
    for (std::size_t size = 0; begin + size <= whole.size(); ++size) {
      const auto piece = content(7, begin, size);
      EXPECT_TRUE(std::equal(piece.begin(), piece.end(),
                             whole.begin() + static_cast<std::ptrdiff_t>(begin)));
      EXPECT_EQ(Content(7).count_wrong(begin, piece), 0u);
    }
  }
}

TEST(Content, counts_every_byte_that_was_changed) {
  auto bytes = content(7, 3, 50);
  bytes[0] ^= std::byte{1};
  bytes[49] ^= std::byte{0x80};

  EXPECT_EQ(Content(7).count_wrong(3, bytes), 2u);
}

TEST(Content, notices_a_byte_that_is_lost_doubled_or_of_another_seed) {
  auto lost = content(7, 0, 1000);
  lost.erase(lost.begin() + 10);
  auto doubled = content(7, 0, 1000);
  doubled.insert(doubled.begin() + 10, doubled[10]);

  EXPECT_GT(Content(7).count_wrong(0, lost), 900u);
  EXPECT_GT(Content(7).count_wrong(0, doubled), 900u);
  EXPECT_GT(Content(8).count_wrong(0, content(7, 0, 1000)), 900u);
}

TEST(Checksum, is_the_same_in_pieces_of_any_size) {
  const auto bytes = content(1, 0, 37);
  Checksum whole;
  whole.add(bytes);
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    Checksum pieces;
    pieces.add(std::span(bytes).first(first));
    pieces.add(std::span(bytes).subspan(first));
    EXPECT_EQ(pieces.value(), whole.value());
  }
}

TEST(Checksum, differs_when_a_byte_does_and_when_one_is_missing) {
  auto bytes = content(1, 0, 37);
  Checksum right;
  right.add(bytes);
  Checksum shorter;
  shorter.add(std::span(bytes).first(36));
  bytes[36] ^= std::byte{1};
  Checksum changed;
  changed.add(bytes);

  EXPECT_NE(shorter.value(), right.value());
  EXPECT_NE(changed.value(), right.value());
}

TEST(NumberBytes, come_back_as_the_number) {
  for (const std::uint64_t number : {0ull, 1ull, 0x0123456789abcdefull, ~0ull}) {
    EXPECT_EQ(from_bytes(to_bytes(number)), number);
  }
}

}  // namespace
}  // namespace holdfast::bench
