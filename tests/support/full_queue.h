#pragma once

#include <vector>

#include "holdfast/base/fd.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::testing {

// Listens, and lets every connect hang: its accept queue is full and nobody empties it.
class FullQueue {
 public:
  FullQueue();

  [[nodiscard]] SocketAddress address() const;
  // Empties it from now on, until somebody connects who sends something: that connection.
  [[nodiscard]] Fd serve();

 private:
  Fd listener_;
  std::vector<Fd> waiting_;
  std::vector<Fd> accepted_;
};

}  // namespace holdfast::testing
