#include "support/temporary_directory.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace holdfast::testing {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "holdfast-test-XXXXXX";
  EXPECT_NE(::mkdtemp(pattern.data()), nullptr) << pattern;
  path_ = pattern;
}

}  // namespace holdfast::testing
