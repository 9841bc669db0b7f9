#pragma once

#include <string>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"

namespace holdfast {

// A file without a name that holds this text (memfd_create(2)); `name` is for /proc only. Opened
// by /dev/fd/N it is read from its beginning, as often as one likes, which a pipe is not.
[[nodiscard]] Result<Fd> make_memory_file(const char* name, const std::string& text);

// All of it. Opens nothing: a worker's successor may find no descriptor free.
[[nodiscard]] Result<std::string> read_memory_file(int file);

}  // namespace holdfast
