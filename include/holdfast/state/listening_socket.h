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
  SocketAddress asked;         // as configured
  std::uint64_t spelling = 0;  // of the configured address: its hash, since it may be a name
  SocketAddress address;       // as bound: with the kernel's choice where port 0 was asked for
  std::uint16_t listener = 0;
  std::uint16_t thread = 0;
  std::int32_t fd = -1;
  std::uint64_t device = 0;  // of a Unix socket's file
  std::uint64_t inode = 0;
  std::uint32_t used = 0;

  [[nodiscard]] bool is_used() const { return used != 0; }
  // Takes no new clients, and is closed when those in its queue have been accepted.
  [[nodiscard]] bool is_retiring() const { return used == kRetiring; }

  // Written last: whoever sees it sees the rest.
  void publish() { set(kServing); }
  void retire() { set(kRetiring); }
  void forget() { set(kFree); }

  enum : std::uint32_t { kFree, kServing, kRetiring };
  void set(std::uint32_t value) {
    std::atomic_ref<std::uint32_t>(used).store(value, std::memory_order_release);
  }
};
static_assert(std::is_trivially_copyable_v<ListeningSocket>);

// Notes which file a bound Unix socket has made, so that it can be told from somebody else's.
void note_file(ListeningSocket& socket);
// Removes that file, unless somebody else's is there by now (scar 42). Other sockets have none.
void remove_file(const ListeningSocket& socket);

}  // namespace holdfast::state
