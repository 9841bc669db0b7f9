#pragma once

#include <cstddef>
#include <cstdint>

namespace holdfast::relay {

// How one step of moving bytes ended. Would-block, end of stream and reset are outcomes: each has
// its own next step, none is an error to report.
struct Transfer {
  enum class Outcome : std::uint8_t {
    moved,           // `bytes` of them, more than 0
    source_blocked,  // nothing to read now
    sink_blocked,    // no room to write now
    source_eof,
    source_reset,
    sink_reset,
    unsupported,  // splice(2) doesn't do these descriptors: copy
  };

  Outcome outcome;
  std::size_t bytes = 0;
};

}  // namespace holdfast::relay
