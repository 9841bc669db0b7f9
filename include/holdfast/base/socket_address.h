#pragma once

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdint>
#include <optional>
#include <string>

#include "holdfast/base/endpoint.h"
#include "holdfast/base/result.h"

namespace holdfast {

// What bind(2) and connect(2) take: an IPv4, IPv6 or Unix socket address. A value.
class SocketAddress {
 public:
  SocketAddress() = default;

  // Numeric hosts and Unix paths only; IPv6 scopes ("fe80::1%eth0") included. A name is an error
  // with code EAI_NONAME: names are resolved in discovery/.
  [[nodiscard]] static Result<SocketAddress> from(const Endpoint& endpoint);
  [[nodiscard]] static SocketAddress from(const sockaddr* address, socklen_t length);

  // getsockname(2) and getpeername(2); nothing when the kernel has no answer.
  [[nodiscard]] static std::optional<SocketAddress> local(int socket);
  [[nodiscard]] static std::optional<SocketAddress> peer(int socket);

  [[nodiscard]] const sockaddr* data() const;
  [[nodiscard]] socklen_t size() const { return length_; }
  [[nodiscard]] int family() const { return storage_.family; }
  [[nodiscard]] bool is_unix() const { return family() == AF_UNIX; }
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] SocketAddress with_port(std::uint16_t port) const;
  [[nodiscard]] Endpoint endpoint() const;
  [[nodiscard]] std::string to_string() const { return endpoint().to_string(); }

  // Whether a socket bound to `listening` accepts what is addressed to this: the same, or the same
  // port and `listening` is any address.
  [[nodiscard]] bool is_at(const SocketAddress& listening) const;

  bool operator==(const SocketAddress& other) const;

 private:
  union Storage {
    char bytes[sizeof(sockaddr_un)];  // the largest of them
    sa_family_t family;
    sockaddr_in in4;
    sockaddr_in6 in6;
    sockaddr_un un;
  };
  Storage storage_{};
  socklen_t length_ = 0;
};

}  // namespace holdfast
