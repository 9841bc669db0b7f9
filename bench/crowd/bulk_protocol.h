#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace holdfast::bench {

// What a client of the bulk service says first, in so many bytes that the content after it can't be
// read along:
//
//   client                            service
//   request ─────────────────────▶
//           ◀──────────── content, checksum      of a download
//   content, checksum ───────────▶               of an upload
//           ◀─────────── how many bytes were wrong
//   FIN ─────────────────────────▶
//           ◀──────────────────────────── FIN
struct BulkRequest {
  enum class Direction : std::uint8_t { download, upload };
  static constexpr std::size_t kBytes = 96;
  using Bytes = std::array<char, kBytes>;

  Direction direction = Direction::download;
  std::uint64_t seed = 0;
  std::uint64_t size = 0;
  double rate = 0;  // at which the receiving end reads, bytes a second

  [[nodiscard]] Bytes to_bytes() const;
  [[nodiscard]] static std::optional<BulkRequest> parse(const Bytes& bytes);
};

}  // namespace holdfast::bench
