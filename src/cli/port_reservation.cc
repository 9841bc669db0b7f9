#include "cli/port_reservation.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>

namespace holdfast::cli {

Result<PortReservation> PortReservation::make() {
  Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in loopback{};
  loopback.sin_family = AF_INET;
  loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const auto any_port =
      SocketAddress::from(reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback);
  // Both options, since which of them the later listener sets is its own affair.
  if (!socket.is_open() ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0 ||
      ::bind(socket.get(), any_port.data(), any_port.size()) != 0) {
    return fail("cannot reserve a port", errno);
  }
  const auto address = SocketAddress::local(socket.get());
  if (!address) {
    return fail("cannot reserve a port", errno);
  }
  return PortReservation(std::move(socket), *address);
}

}  // namespace holdfast::cli
