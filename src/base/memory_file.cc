#include "holdfast/base/memory_file.h"

#include <sys/mman.h>
#include <sys/stat.h>
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

Result<std::string> read_memory_file(int file) {
  struct stat status {};
  if (::fstat(file, &status) != 0) {
    return fail("cannot read the configuration in memory", errno);
  }
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  if (::pread(file, text.data(), text.size(), 0) != static_cast<ssize_t>(text.size())) {
    return fail("cannot read the configuration in memory", errno);
  }
  return text;
}

}  // namespace holdfast
