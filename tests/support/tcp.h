#pragma once

#include <string>
#include <string_view>
#include <thread>

#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::testing {

// Blocking sockets for the far ends of a test: every wait ends after thirty seconds with a failure.
// All addresses are loopback, all ports the kernel's choice.

// Listening on 127.0.0.1, any port.
[[nodiscard]] Fd listen_any(int backlog = 128);
[[nodiscard]] SocketAddress address_of(const Fd& socket);
// A loopback address where nobody listens. The port stays ours, bound, as long as the descriptor.
[[nodiscard]] Fd reserve_closed_port();

// One whose connection is refused, or already reset again, says so to the first read.
[[nodiscard]] Fd connect_to(const SocketAddress& address);
[[nodiscard]] Fd accept_from(const Fd& listener);

void send_all(const Fd& socket, std::string_view bytes);
// Sends what goes without waiting and says how much that was.
[[nodiscard]] std::size_t send_without_waiting(const Fd& socket, std::size_t at_most);
[[nodiscard]] std::string receive(const Fd& socket, std::size_t bytes);

// How a stream ended, after everything before the end was read.
enum class Ending { fin, reset, timeout };
struct Received {
  std::string bytes;
  Ending ending;
};
[[nodiscard]] Received receive_to_end(const Fd& socket);
[[nodiscard]] Ending ending_of(const Fd& socket);

void finish_sending(const Fd& socket);  // FIN
void reset(Fd socket);                  // RST

// Pseudo-random, the same for the same seed.
[[nodiscard]] std::string pattern(std::size_t bytes, unsigned seed = 1);

// Whether the condition came to hold within thirty seconds.
template <class Condition>
[[nodiscard]] bool eventually(Condition condition) {
  const auto end = Clock::now() + std::chrono::seconds(30);
  while (!condition()) {
    if (Clock::now() > end) {
      return false;
    }
    std::this_thread::yield();
  }
  return true;
}

[[nodiscard]] std::size_t open_descriptors();

// The share of one CPU this process used during the span: near 0 when it sleeps, 1 when it spins.
[[nodiscard]] double cpu_share_during(std::chrono::milliseconds span);

}  // namespace holdfast::testing
