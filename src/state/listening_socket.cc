#include "holdfast/state/listening_socket.h"

#include <sys/stat.h>
#include <unistd.h>

namespace holdfast::state {

void note_file(ListeningSocket& socket) {
  struct stat file {};
  if (socket.address.is_unix() && ::stat(socket.address.endpoint().path.c_str(), &file) == 0) {
    socket.device = file.st_dev;
    socket.inode = file.st_ino;
  }
}

void remove_file(const ListeningSocket& socket) {
  if (!socket.address.is_unix()) {
    return;
  }
  const auto path = socket.address.endpoint().path;
  struct stat file {};
  if (::stat(path.c_str(), &file) == 0 && file.st_dev == socket.device &&
      file.st_ino == socket.inode) {
    ::unlink(path.c_str());
  }
}

}  // namespace holdfast::state
