#pragma once

#include <atomic>
#include <cstdint>
#include <type_traits>

#include "holdfast/base/socket_address.h"

namespace holdfast::state {

static_assert(std::is_trivially_copyable_v<SocketAddress>);

// A socket that clients connect to: one for each bind address and relay thread. It is recorded
// before listen(2), so that no socket with clients in its queue is ever unknown. Control thread.
struct ListeningSocket {
  SocketAddress asked;    // as configured
  SocketAddress address;  // as bound: with the kernel's choice where port 0 was asked for
  std::uint16_t listener = 0;
  std::uint16_t thread = 0;
  std::int32_t fd = -1;
  std::uint64_t device = 0;  // of a Unix socket's file
  std::uint64_t inode = 0;
  std::uint32_t used = 0;

  [[nodiscard]] bool is_used() const { return used != 0; }

  // Written last: whoever sees it sees the rest.
  void publish() { std::atomic_ref<std::uint32_t>(used).store(1, std::memory_order_release); }
  void forget() { std::atomic_ref<std::uint32_t>(used).store(0, std::memory_order_release); }
};
static_assert(std::is_trivially_copyable_v<ListeningSocket>);

}  // namespace holdfast::state
