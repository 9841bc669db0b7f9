#include "worker/listening_sockets.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::worker {

Result<ListeningSockets> ListeningSockets::open(const SocketAddress& address, unsigned threads) {
  ListeningSockets result;
  // Without SO_REUSEPORT first: it would let us share the port with another process of the same
  // user, a second holdfast say, which would take half of the connections unnoticed. Bound only:
  // a listening socket would collect connections, and closing it reset them.
  if (address.port() != 0) {
    if (auto alone = bind_to(address, false); !alone) {
      return tl::unexpected(alone.error());
    }
  }
  auto first = listen_on(address, !address.is_unix());
  if (!first) {
    return tl::unexpected(first.error());
  }
  result.address_ = SocketAddress::local(first->get()).value_or(address);
  result.sockets_.push_back(std::move(*first));
  if (address.is_unix()) {
    result.path_ = address.endpoint().path;
    struct stat file {};
    if (::stat(result.path_.c_str(), &file) == 0) {
      result.device_ = file.st_dev;
      result.inode_ = file.st_ino;
    }
  }
  if (auto shared = result.share(threads); !shared) {
    return tl::unexpected(shared.error());
  }
  return result;
}

Result<void> ListeningSockets::share(unsigned threads) {
  while (sockets_.size() < threads) {
    if (!address_.is_unix()) {
      auto another = listen_on(address_, true);
      if (!another) {
        return tl::unexpected(another.error());
      }
      sockets_.push_back(std::move(*another));
      continue;
    }
    Fd same(::fcntl(sockets_.front().get(), F_DUPFD_CLOEXEC, 0));
    if (!same.is_open()) {
      return fail("cannot share " + path_, errno);
    }
    sockets_.push_back(std::move(same));
  }
  return {};
}

ListeningSockets::~ListeningSockets() {
  struct stat file {};
  if (!path_.empty() && ::stat(path_.c_str(), &file) == 0 && file.st_dev == device_ &&
      file.st_ino == inode_) {
    ::unlink(path_.c_str());
  }
}

}  // namespace holdfast::worker
