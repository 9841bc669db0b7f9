#pragma once

#include <sys/types.h>

namespace holdfast::cli {

// The parent of a process, as proc(5) has it; 0 when there is no such process.
[[nodiscard]] pid_t parent_of(pid_t process);

}  // namespace holdfast::cli
