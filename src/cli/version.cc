#include <cstdio>

#include "cli/commands.h"

namespace holdfast::cli {

std::string version_text() {
  return "holdfast " HOLDFAST_VERSION;
}

int version() {
  std::puts(version_text().c_str());
  return kFine;
}

}  // namespace holdfast::cli
