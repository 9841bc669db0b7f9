#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/base/endpoint.h"
#include "holdfast/config/mark.h"

namespace holdfast {

// How a pool's backends are checked, as plain values with their defaults.

enum class CheckType : std::uint8_t { none, tcp, http, send_expect, agent };

inline constexpr std::size_t kLongestCheckText = 4096;  // bytes of `send` and of `expect`
inline constexpr std::size_t kLongestAnswer = 64 * 1024;

// A key of `health` that the file has: whether it fits the type is judged when all are read.
struct GivenKey {
  std::string name;
  Mark mark;
};

// A TLS handshake on top of a check's connect.
struct CheckTlsConfig {
  bool verify = true;  // the certificate, and that it is for the name that was asked for
  std::string sni;     // empty: the backend's host, where it is a name
  std::string ca;      // path of the certificates that are trusted; empty: the system's
  Mark mark;
  Mark sni_mark;
  Mark ca_mark;

  bool operator==(const CheckTlsConfig& other) const {
    return verify == other.verify && sni == other.sni && ca == other.ca;
  }
};

struct StatusRange {
  unsigned first = 200;
  unsigned last = 399;

  bool operator==(const StatusRange&) const = default;
};

struct HealthConfig {
  CheckType type = CheckType::tcp;
  Milliseconds interval = std::chrono::seconds(2);
  std::optional<Milliseconds> fast_interval;       // while its state may be about to change
  std::optional<Milliseconds> down_interval;       // while it is down
  Milliseconds timeout = std::chrono::seconds(1);  // of the whole check
  unsigned rise = 2;                               // successes in a row that bring a backend up
  unsigned fall = 3;                               // failures in a row that take it down

  unsigned port = 0;                // 0: the backend's
  std::optional<Endpoint> address;  // nothing: the backend's
  std::optional<CheckTlsConfig> tls;

  std::string send;          // send_expect, agent: bytes that are sent first
  std::string expect;        // send_expect: bytes that the answer has in it
  std::size_t limit = 4096;  // send_expect: bytes of the answer in which they must occur

  std::string method = "GET";  // http, as all that follows
  std::string path = "/";
  std::string host;  // empty: the backend's address
  std::vector<StatusRange> status = {StatusRange()};

  std::vector<GivenKey> given;
  Mark mark;
  Mark type_mark;
  Mark interval_mark;
  Mark timeout_mark;
  Mark fast_interval_mark;
  Mark port_mark;
  Mark address_mark;
  Mark expect_mark;
  Mark limit_mark;
  Mark method_mark;
  Mark path_mark;
  Mark host_mark;
};

}  // namespace holdfast
