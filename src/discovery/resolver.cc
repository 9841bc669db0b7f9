#include "holdfast/discovery/resolver.h"

#include <netdb.h>

#include <future>

namespace holdfast::discovery {
namespace {

constexpr std::size_t kAskedAtOnce = 64;

// IPv4 before IPv6: "localhost" is both, and what listens on one of them listens on 127.0.0.1.
const addrinfo* preferred(const addrinfo* found) {
  for (const addrinfo* each = found; each != nullptr; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      return each;
    }
  }
  return found;
}

Result<SocketAddress> resolve_one(const std::string& name) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(name.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return tl::unexpected(Error{::gai_strerror(error), error});
  }
  const auto* best = preferred(found);
  const auto address = SocketAddress::from(best->ai_addr, best->ai_addrlen);
  ::freeaddrinfo(found);
  return address;
}

}  // namespace

std::map<std::string, Result<SocketAddress>> resolve(const std::set<std::string>& names) {
  std::map<std::string, std::future<Result<SocketAddress>>> asked;
  std::map<std::string, Result<SocketAddress>> answers;
  const auto collect = [&] {
    for (auto& [name, answer] : asked) {
      answers.emplace(name, answer.get());
    }
    asked.clear();
  };
  for (const auto& name : names) {
    if (asked.size() == kAskedAtOnce) {
      collect();
    }
    asked.emplace(name, std::async(std::launch::async, resolve_one, name));
  }
  collect();
  return answers;
}

}  // namespace holdfast::discovery
