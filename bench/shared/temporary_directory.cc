#include "shared/temporary_directory.h"

#include <stdlib.h>

#include <string>
#include <system_error>

namespace holdfast::bench {

TemporaryDirectory::TemporaryDirectory() {
  std::string pattern = std::filesystem::temp_directory_path() / "holdfast-bench-XXXXXX";
  path_ = ::mkdtemp(pattern.data());
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace holdfast::bench
