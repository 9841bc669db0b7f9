#pragma once

#include <cstddef>
#include <cstdint>

#include "holdfast/base/clock.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::bench {

// How large a crowd is and what it does. Both targets are the balancer's, on the loopback
// interface; behind them are the two services of `crowd serve`.
struct CrowdOptions {
  SocketAddress target = {};       // in front of the small exchanges
  SocketAddress bulk_target = {};  // in front of the transfers
  std::size_t idle = 2000;
  double idle_checks = 50;  // a second, over all of them
  std::size_t busy = 50;
  Duration busy_interval = std::chrono::milliseconds(10);  // between two requests of one client
  std::size_t downloads = 4;
  std::size_t uploads = 4;
  std::uint64_t bulk_size = std::uint64_t{64} << 20;  // of one transfer, bytes
  double bulk_rate = 8 << 20;                         // of one transfer, bytes a second
  double new_rate = 200;                              // new connections a second
  // For an answer, and for a transfer to move on. Longer than any stall that is to be measured.
  Duration timeout = std::chrono::seconds(30);
  // How long after an event a wait counts as its doing, if no other event comes before.
  Duration window = std::chrono::seconds(5);
};

}  // namespace holdfast::bench
