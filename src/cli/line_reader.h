#pragma once

#include <optional>
#include <string>

#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"

namespace holdfast::cli {

// Cuts what comes out of a pipe into lines, without ever blocking for more. One thread's own.
class LineReader {
 public:
  // The descriptor is non-blocking.
  explicit LineReader(Fd fd) : fd_(std::move(fd)) {}

  // The next line, without its line end; nothing when none is complete yet. The last line of all
  // needs no line end.
  [[nodiscard]] std::optional<std::string> next();
  // The same, waiting for it.
  [[nodiscard]] std::optional<std::string> wait(Duration limit);

  [[nodiscard]] bool ended() const { return ended_ && buffer_.empty(); }
  [[nodiscard]] int fd() const { return fd_.get(); }

 private:
  // Whether anything came, the end included.
  bool fill();
  std::optional<std::string> cut(std::size_t end);

  Fd fd_;
  std::string buffer_;
  bool ended_ = false;
};

}  // namespace holdfast::cli
