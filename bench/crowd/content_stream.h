#pragma once

#include <cstdint>

#include "crowd/content.h"
#include "holdfast/base/clock.h"

namespace holdfast::bench {

// A bounded step of a transfer over a non-blocking socket, and why it went no further.
enum class Step : std::uint8_t {
  again,        // more could be done at once: others first
  would_block,  // the socket says when to go on
  throttled,    // go on in a moment
  done,
  ended_early,  // FIN in the middle
  failed,       // errno says how
};

// As many bytes as may pass by now, at a steady rate.
class Throttle {
 public:
  Throttle(double rate, TimePoint now);

  // Nothing until it is worth a system call. What isn't taken is saved up, for a moment only: after
  // a stall it goes on at the same rate.
  [[nodiscard]] std::size_t allowed(TimePoint now);
  void take(std::size_t bytes) { saved_ -= static_cast<double>(bytes); }

 private:
  double rate_;  // bytes a second
  double saved_ = 0;
  TimePoint last_;
};

// The sending end of a transfer: `size` bytes of content and then their checksum.
class ContentSender {
 public:
  ContentSender(std::uint64_t seed, std::uint64_t size) : content_(seed), size_(size) {}

  [[nodiscard]] Step send(int socket);
  [[nodiscard]] std::uint64_t sent() const { return sent_; }

 private:
  Content content_;
  std::uint64_t size_;
  std::uint64_t sent_ = 0;  // the checksum's bytes included
  Checksum checksum_;
};

// The receiving end, which reads no faster than the throttle lets it, from a socket with little
// room: so all that is on the way, the balancer's pipes included, is full for as long as the
// transfer lasts.
class ContentReceiver {
 public:
  ContentReceiver(std::uint64_t seed, std::uint64_t size, Throttle throttle)
      : content_(seed), size_(size), throttle_(throttle) {}

  // Instead of the megabytes that the kernel would let it have.
  static void limit_room(int socket);
  [[nodiscard]] Step receive(int socket, TimePoint now);
  [[nodiscard]] std::uint64_t received() const { return received_; }
  // Those that differ from what was sent; the checksum counts as its eight bytes.
  [[nodiscard]] std::uint64_t wrong_bytes() const { return wrong_; }

 private:
  void take(std::span<const std::byte> bytes);

  Content content_;
  std::uint64_t size_;
  Throttle throttle_;
  std::uint64_t received_ = 0;  // the checksum's bytes included
  Checksum checksum_;
  std::uint64_t wrong_ = 0;
};

}  // namespace holdfast::bench
