#include "holdfast/base/endpoint.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace holdfast {
namespace {

constexpr std::string_view kUnixPrefix = "unix:";
constexpr std::size_t kMaxHostName = 253;  // RFC 1035, 2.3.4

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc() || end != text.data() + text.size() || port > 65535) {
    return fail("port '" + std::string(text) + "' is not a number from 0 to 65535");
  }
  return static_cast<std::uint16_t>(port);
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '-' || c == '_';
}

// A scope ("fe80::1%eth0") is the kernel's to judge.
bool is_ipv6(std::string_view text) {
  in6_addr address{};
  return ::inet_pton(AF_INET6, std::string(text.substr(0, text.find('%'))).c_str(), &address) == 1;
}

// Nothing but digits and dots can't be a name (RFC 1123, 2.1), and looked up it never resolves.
bool is_broken_ipv4(const std::string& text) {
  in_addr address{};
  return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }) &&
         ::inet_pton(AF_INET, text.c_str(), &address) != 1;
}

Result<Endpoint> parse_unix(std::string_view path) {
  if (path.empty() || path.front() != '/') {
    return fail("a Unix socket needs an absolute path, as in 'unix:/run/app.sock'");
  }
  if (path.size() >= sizeof(sockaddr_un::sun_path)) {
    return fail("the path of a Unix socket has at most 107 bytes (unix(7))");
  }
  // It is shown in lines of text, and the kernel takes what comes before a NUL.
  if (std::ranges::any_of(path, [](unsigned char c) { return std::iscntrl(c) != 0; })) {
    return fail("the path of a Unix socket can't have control characters in it");
  }
  Endpoint endpoint;
  endpoint.kind = Endpoint::Kind::unix_path;
  endpoint.path = std::string(path);
  return endpoint;
}

}  // namespace

Result<Endpoint> Endpoint::parse(std::string_view text) {
  if (text.starts_with(kUnixPrefix)) {
    return parse_unix(text.substr(kUnixPrefix.size()));
  }
  Endpoint endpoint;
  std::string_view port;
  if (text.starts_with('[')) {
    const auto bracket = text.find("]:");
    if (bracket == std::string_view::npos) {
      return fail("an IPv6 address is written with brackets and a port, as in '[::1]:8080'");
    }
    endpoint.host = std::string(text.substr(1, bracket - 1));
    port = text.substr(bracket + 2);
    if (!is_ipv6(endpoint.host)) {
      return fail("'" + endpoint.host + "' in brackets is not an IPv6 address");
    }
  } else {
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos || colon == 0) {
      return fail("write host:port, [ipv6]:port or unix:/path");
    }
    endpoint.host = std::string(text.substr(0, colon));
    port = text.substr(colon + 1);
    if (endpoint.host.find(':') != std::string::npos) {
      return fail("an IPv6 address is written with brackets, as in '[::1]:8080'");
    }
    if (endpoint.host.size() > kMaxHostName ||
        !std::all_of(endpoint.host.begin(), endpoint.host.end(), is_host_character)) {
      return fail("'" + endpoint.host + "' is neither a host name nor an address");
    }
    if (is_broken_ipv4(endpoint.host)) {
      return fail("'" + endpoint.host + "' is not an IPv4 address");
    }
  }
  auto number = parse_port(port);
  if (!number) {
    return tl::unexpected(number.error());
  }
  endpoint.port = *number;
  return endpoint;
}

std::string Endpoint::to_string() const {
  switch (kind) {
    case Kind::unix_path:
      return std::string(kUnixPrefix) + path;
    case Kind::inet:
      break;
  }
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace holdfast
