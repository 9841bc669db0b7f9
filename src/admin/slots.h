#pragma once

#include <cstddef>
#include <vector>

namespace holdfast::admin {

// The sockets of the clients that the HTTP server serves. When there are too many, the one that
// has gone longest without finishing a request makes way: neither idle clients nor those that send
// their request a byte at a time keep others out (scar 44). On the server's thread.
class Slots {
 public:
  explicit Slots(std::size_t most) : most_(most) {}

  // The client connected; shuts another's socket down when that makes one too many.
  void enter(int socket);
  // It finished a request.
  void renew(int socket);
  // Its socket is about to be closed.
  void leave(int socket);

  [[nodiscard]] std::size_t size() const { return sockets_.size(); }

 private:
  std::size_t most_;
  std::vector<int> sockets_;  // by when they last finished a request or, without one, connected
};

}  // namespace holdfast::admin
