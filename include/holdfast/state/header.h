#pragma once

#include <cstdint>

#include "holdfast/base/result.h"

namespace holdfast::state {

// "HOLDFAST", read as a little-endian number.
inline constexpr std::uint64_t kMagic = 0x5453'4146'444c'4f48;

// To be raised with every change of what lies in the region: a process of another version must
// not read it. A test compares the layout with the one this number stands for.
inline constexpr std::uint32_t kLayoutVersion = 3;

// How a region begins: enough to tell whether the rest can be understood. Written once, by whoever
// makes the region.
struct Header {
  std::uint64_t magic = kMagic;
  std::uint32_t layout_version = kLayoutVersion;
  std::uint32_t record_size = 0;
  std::uint64_t state_size = 0;   // of SharedState, bytes
  std::uint64_t region_size = 0;  // of all, bytes
  std::uint32_t connections_per_thread = 0;
  std::uint32_t unused = 0;
};

// What this build would write, for a region of that size.
[[nodiscard]] Header make_header(std::uint64_t region_size, std::uint32_t connections_per_thread);

// Whether this build understands a region that begins like this. The error says what differs.
[[nodiscard]] Result<void> check_header(const Header& header, std::uint64_t region_size);

}  // namespace holdfast::state
