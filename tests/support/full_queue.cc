#include "support/full_queue.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "holdfast/base/socket.h"
#include "support/tcp.h"

namespace holdfast::testing {

FullQueue::FullQueue() : listener_(listen_any(0)) {
  for (int i = 0; i < 4; ++i) {  // the queue takes one or two, and then drops SYNs
    waiting_.push_back(start_connect(address()).value());
  }
  // Not before the kernel has brought the first one there: the next to come would find room.
  EXPECT_TRUE(eventually([&] { return is_ready(listener_.get(), true, false); }));
}

SocketAddress FullQueue::address() const {
  return address_of(listener_);
}

Fd FullQueue::serve() {
  auto place = accepted_.end();
  const bool came = eventually([&] {
    if (is_ready(listener_.get(), true, false)) {
      accepted_.push_back(accept_from(listener_));
    }
    place = std::ranges::find_if(accepted_,
                                 [](const Fd& one) { return is_ready(one.get(), true, false); });
    return place != accepted_.end();
  });
  return came ? std::move(*place) : Fd();
}

}  // namespace holdfast::testing
