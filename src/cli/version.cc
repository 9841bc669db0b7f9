#include <cstdio>

#include "cli/commands.h"

namespace holdfast::cli {

int version() {
  std::puts("holdfast " HOLDFAST_VERSION);
  return kFine;
}

}  // namespace holdfast::cli
