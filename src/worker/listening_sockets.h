#pragma once

#include <sys/types.h>
#include <string>
#include <vector>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::worker {

// The sockets of one bind address, one for each relay thread. IP addresses have as many sockets
// that share the port; a Unix path has one socket, held by every thread. Owns the path's file: it
// is removed in the end, unless somebody else's is there by then (scar 42).
class ListeningSockets {
 public:
  [[nodiscard]] static Result<ListeningSockets> open(const SocketAddress& address,
                                                     unsigned threads);
  ListeningSockets(ListeningSockets&&) = default;
  ListeningSockets& operator=(ListeningSockets&&) = delete;
  ~ListeningSockets();

  // Of one thread, which owns it from then on.
  [[nodiscard]] Fd take(unsigned thread) { return std::move(sockets_[thread]); }

  // As bound: with the kernel's choice where port 0 was asked for.
  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  ListeningSockets() = default;
  [[nodiscard]] Result<void> share(unsigned threads);

  SocketAddress address_;
  std::vector<Fd> sockets_;
  std::string path_;  // Unix only
  dev_t device_ = 0;
  ino_t inode_ = 0;
};

}  // namespace holdfast::worker
