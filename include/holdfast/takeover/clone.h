#pragma once

#include <sys/types.h>

namespace holdfast::takeover {

// fork(2), but for the table of descriptors, which is one and the same from now on. Not glibc's
// fork, which has no flags: what glibc locks for a fork isn't locked. So either the process has one
// thread, or the child allocates nothing before it executes a program. -1 and errno on failure.
[[nodiscard]] pid_t clone_sharing_descriptors();

}  // namespace holdfast::takeover
