#pragma once

#include <string>

namespace holdfast::bench {

// What the numbers were measured on, since they mean nothing without it.
struct Machine {
  std::string cpu;
  long cores = 0;
  std::string kernel;
  std::string date;  // of today, UTC, as in 2026-11-23
};

[[nodiscard]] Machine describe_machine();

}  // namespace holdfast::bench
