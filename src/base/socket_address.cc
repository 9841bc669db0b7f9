#include "holdfast/base/socket_address.h"

#include <netdb.h>
#include <netinet/in.h>

#include <cassert>
#include <cstddef>
#include <cstring>

namespace holdfast {

Result<SocketAddress> SocketAddress::from(const Endpoint& endpoint) {
  if (endpoint.kind == Endpoint::Kind::unix_path) {
    sockaddr_un un{};
    un.sun_family = AF_UNIX;
    if (endpoint.path.size() >= sizeof un.sun_path) {
      return fail("'" + endpoint.path + "' is too long for a Unix socket");
    }
    std::memcpy(un.sun_path, endpoint.path.c_str(), endpoint.path.size() + 1);
    const auto length = offsetof(sockaddr_un, sun_path) + endpoint.path.size() + 1;
    return from(reinterpret_cast<const sockaddr*>(&un), static_cast<socklen_t>(length));
  }
  addrinfo hints{};
  hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = std::to_string(endpoint.port);
  const int error = ::getaddrinfo(endpoint.host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) {
    return tl::unexpected(
        Error{"'" + endpoint.host + "' is not a numeric address: " + ::gai_strerror(error), error});
  }
  const auto address = from(found->ai_addr, found->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

SocketAddress SocketAddress::from(const sockaddr* address, socklen_t length) {
  SocketAddress result;
  assert(length <= sizeof result.storage_.bytes);
  std::memcpy(result.storage_.bytes, address, length);
  result.length_ = length;
  return result;
}

std::optional<SocketAddress> SocketAddress::local(int socket) {
  SocketAddress result;
  result.length_ = sizeof result.storage_.bytes;
  auto* address = reinterpret_cast<sockaddr*>(result.storage_.bytes);
  if (::getsockname(socket, address, &result.length_) != 0) {
    return std::nullopt;
  }
  return result;
}

std::optional<SocketAddress> SocketAddress::peer(int socket) {
  SocketAddress result;
  result.length_ = sizeof result.storage_.bytes;
  auto* address = reinterpret_cast<sockaddr*>(result.storage_.bytes);
  if (::getpeername(socket, address, &result.length_) != 0) {
    return std::nullopt;
  }
  return result;
}

const sockaddr* SocketAddress::data() const {
  return reinterpret_cast<const sockaddr*>(storage_.bytes);
}

std::uint16_t SocketAddress::port() const {
  switch (family()) {
    case AF_INET:
      return ntohs(storage_.in4.sin_port);
    case AF_INET6:
      return ntohs(storage_.in6.sin6_port);
    default:  // AF_UNIX, AF_UNSPEC: no ports; the family is the kernel's number, not our enum
      return 0;
  }
}

SocketAddress SocketAddress::with_port(std::uint16_t port) const {
  SocketAddress result = *this;
  switch (family()) {
    case AF_INET:
      result.storage_.in4.sin_port = htons(port);
      break;
    case AF_INET6:
      result.storage_.in6.sin6_port = htons(port);
      break;
    default:  // as above
      break;
  }
  return result;
}

Endpoint SocketAddress::endpoint() const {
  Endpoint endpoint;
  if (is_unix()) {
    endpoint.kind = Endpoint::Kind::unix_path;
    const auto header = offsetof(sockaddr_un, sun_path);
    if (length_ > header) {  // an unnamed socket has no path at all
      endpoint.path.assign(storage_.un.sun_path, ::strnlen(storage_.un.sun_path, length_ - header));
    }
    return endpoint;
  }
  char host[NI_MAXHOST] = "";
  ::getnameinfo(data(), length_, host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  endpoint.host = host;
  endpoint.port = port();
  return endpoint;
}

bool SocketAddress::is_at(const SocketAddress& listening) const {
  if (family() != listening.family()) {
    return false;
  }
  if (is_unix()) {
    return endpoint().path == listening.endpoint().path;
  }
  if (port() != listening.port()) {
    return false;
  }
  const bool any = family() == AF_INET
                       ? listening.storage_.in4.sin_addr.s_addr == htonl(INADDR_ANY)
                       : IN6_IS_ADDR_UNSPECIFIED(&listening.storage_.in6.sin6_addr) != 0;
  return any || endpoint().host == listening.endpoint().host;
}

bool SocketAddress::operator==(const SocketAddress& other) const {
  return length_ == other.length_ &&
         std::memcmp(storage_.bytes, other.storage_.bytes, length_) == 0;
}

}  // namespace holdfast
