#pragma once

#include <string>
#include <utility>

#include "holdfast/base/result.h"

namespace holdfast {

// A directory of our own, for nobody else to read, that is gone with everything in it when its
// owner is. Kept by one owner, who may be moved.
class TemporaryDirectory {
 public:
  [[nodiscard]] static Result<TemporaryDirectory> make();
  TemporaryDirectory(TemporaryDirectory&& other) noexcept
      : path_(std::exchange(other.path_, std::string())) {}
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory();

  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }
  // Creates the file, and returns its path.
  [[nodiscard]] Result<std::string> write(const std::string& name, const std::string& text) const;

 private:
  explicit TemporaryDirectory(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty when another one has it
};

}  // namespace holdfast
