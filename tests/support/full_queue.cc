#include "support/full_queue.h"

#include "holdfast/base/socket.h"
#include "support/tcp.h"

namespace holdfast::testing {

FullQueue::FullQueue() : listener_(listen_any(0)) {
  for (int i = 0; i < 4; ++i) {  // the queue takes one or two, and then drops SYNs
    waiting_.push_back(start_connect(address()).value());
  }
}

SocketAddress FullQueue::address() const {
  return address_of(listener_);
}

}  // namespace holdfast::testing
