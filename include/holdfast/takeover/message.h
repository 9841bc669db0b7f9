#pragma once

namespace holdfast::takeover {

// Writes a line to standard error as the log does: time, level, and what printf(3) makes of the
// rest. On the stack, with one write(2): the guardian allocates nothing.
[[gnu::format(printf, 2, 3)]] void say(const char* level, const char* format, ...);

}  // namespace holdfast::takeover
