#pragma once

#include <cstdint>

namespace holdfast::health {

// How a step on a non-blocking stream came out.
enum class Io : std::uint8_t {
  done,
  want_read,   // to be gone on with when the socket is readable
  want_write,  // when it is writable
  ended,       // the other side sends nothing more
  failed,
};

}  // namespace holdfast::health
