#pragma once

#include <chrono>

namespace holdfast {

using Milliseconds = std::chrono::milliseconds;

// Where in the file a value stands, 1-based; line 0 means it isn't in the file.
struct Mark {
  int line = 0;
  int column = 0;
};

}  // namespace holdfast
