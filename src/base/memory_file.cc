#include "holdfast/base/memory_file.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast {

Result<Fd> make_memory_file(const char* name, const std::string& text) {
  Fd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file.is_open() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail("cannot keep the configuration in memory", errno);
  }
  return file;
}

}  // namespace holdfast
