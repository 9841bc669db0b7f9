#include "holdfast/admin/instance_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

namespace holdfast::admin {

Result<std::optional<Fd>> lock_instance(const std::string& socket_path) {
  const auto path = socket_path + ".lock";
  Fd file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, S_IRUSR | S_IWUSR));
  if (!file.is_open()) {
    return fail("cannot open " + path, errno);
  }
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
    return std::optional(std::move(file));
  }
  if (errno == EWOULDBLOCK) {
    return std::optional<Fd>();
  }
  return fail("cannot lock " + path, errno);
}

}  // namespace holdfast::admin
