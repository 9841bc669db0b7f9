#include "relay/client_key.h"

#include <netinet/in.h>

#include <string_view>

#include "holdfast/balance/hash.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::relay {
namespace {

template <class Bytes>
std::string_view view_of(const Bytes& bytes) {
  return {reinterpret_cast<const char*>(&bytes), sizeof bytes};
}

// Both as the network has them, so that no machine's order of bytes matters.
template <class Ip>
std::uint64_t hash_of(HashKey key, const Ip& ip, in_port_t port) {
  const auto hashed = balance::hash(view_of(ip));
  return key == HashKey::client_ip ? hashed : balance::hash(view_of(port), hashed);
}

}  // namespace

std::uint64_t client_key(const PoolConfig& pool, const state::ConnectionRecord& record) {
  if (pool.balance != Balance::maglev) {
    return 0;
  }
  const auto peer = SocketAddress::peer(record.client_fd);
  if (peer && peer->family() == AF_INET) {
    const auto& in4 = *reinterpret_cast<const sockaddr_in*>(peer->data());
    return hash_of(pool.hash.key, in4.sin_addr, in4.sin_port);
  }
  if (peer && peer->family() == AF_INET6) {
    const auto& in6 = *reinterpret_cast<const sockaddr_in6*>(peer->data());
    return hash_of(pool.hash.key, in6.sin6_addr, in6.sin6_port);
  }
  return balance::mix(record.id);
}

}  // namespace holdfast::relay
