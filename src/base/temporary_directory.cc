#include "holdfast/base/temporary_directory.h"

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace holdfast {

Result<TemporaryDirectory> TemporaryDirectory::make() {
  std::error_code error;
  auto parent = std::filesystem::temp_directory_path(error);
  if (error) {
    parent = "/tmp";
  }
  std::string path = parent / "holdfast-XXXXXX";
  if (::mkdtemp(path.data()) == nullptr) {
    return fail("cannot make a directory in " + parent.string(), errno);
  }
  return TemporaryDirectory(std::move(path));
}

TemporaryDirectory::~TemporaryDirectory() {
  if (!path_.empty()) {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
}

Result<std::string> TemporaryDirectory::write(const std::string& name,
                                              const std::string& text) const {
  auto path = file(name);
  std::ofstream stream(path);
  stream << text << std::flush;
  if (!stream) {
    return fail("cannot write " + path);
  }
  return path;
}

}  // namespace holdfast
