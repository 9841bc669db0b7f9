#pragma once

#include <string>
#include <vector>

#include "holdfast/state/shared_state.h"

namespace holdfast::takeover {

// A program file and its command line, ready to be executed where nothing may be allocated any
// more: in a process cloned from one with several threads. All descriptors of the process go
// along, so that what is executed can go on with every connection.
class Image {
 public:
  Image(std::string program, std::vector<std::string> arguments);
  Image(const Image&) = delete;

  // Becomes that program. Returns only when it can't, with the errno.
  [[nodiscard]] int execute() const;

 private:
  std::string program_;
  std::vector<std::string> arguments_;
  std::vector<char*> argv_;
};

// Descriptors that came along through execute() are closed at the next execve(2), as all are.
void close_descriptors_on_execute();

// The guardian is gone: makes another one, from a worker, on any of its threads. The new guardian
// is `image` in a process that shares this one's descriptors until this one is dead; it ends it, so
// this doesn't return, unless there are no more processes to be had (an errno).
[[nodiscard]] int replace_guardian(const Image& image, state::SharedState& shared);

}  // namespace holdfast::takeover
