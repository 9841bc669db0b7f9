#pragma once

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::cli {

// A free port of 127.0.0.1, kept for a process that is started later or again: a socket bound to
// it that never listens. The kernel gives the port to nobody else, neither to a bind to port 0 nor
// as the source of a connect, while a listener with SO_REUSEADDR or SO_REUSEPORT may still bind it
// (socket(7)). Asking for a free port, closing it and passing the number on is a race instead.
class PortReservation {
 public:
  [[nodiscard]] static Result<PortReservation> make();

  [[nodiscard]] const SocketAddress& address() const { return address_; }

 private:
  PortReservation(Fd socket, SocketAddress address)
      : socket_(std::move(socket)), address_(address) {}

  Fd socket_;
  SocketAddress address_;
};

}  // namespace holdfast::cli
