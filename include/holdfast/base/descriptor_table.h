#pragma once

#include <fcntl.h>

namespace holdfast {

// No descriptor of this process, or of those that it shares its table with, has this number or a
// higher one. What the kernel has room for at present (FDSize in /proc/self/status, proc(5)), or
// the limit where that can't be opened because the table is full. Allocates nothing.
[[nodiscard]] int descriptor_table_size();

// Calls `visit` with each open descriptor, in order. Asking for every number takes a tenth of the
// time of listing /proc/self/fd, whose entries the kernel makes anew for whoever looks first.
template <class Visit>
void for_each_descriptor(Visit visit) {
  const int size = descriptor_table_size();
  for (int fd = 0; fd < size; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) {
      visit(fd);
    }
  }
}

}  // namespace holdfast
