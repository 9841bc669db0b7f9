#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/base/endpoint.h"
#include "holdfast/base/log.h"
#include "holdfast/base/socket_options.h"

namespace holdfast {

// The configuration as plain values with their defaults. Parsing (config/yaml), judging
// (config/validate) and applying (worker/) are three places; nothing here does any of them.

using Milliseconds = std::chrono::milliseconds;

// Where in the file a value stands, 1-based; line 0 means it isn't in the file.
struct Mark {
  int line = 0;
  int column = 0;
};

enum class ConnectionLog : std::uint8_t { none, failed, all };
enum class Balance : std::uint8_t { round_robin, least_connections };
enum class CheckType : std::uint8_t { none, tcp };

// The most of each; the shared state has room for as many.
inline constexpr unsigned kMaxThreads = 64;
inline constexpr std::size_t kMaxListeners = 256;
inline constexpr std::size_t kMaxPools = 256;
inline constexpr std::size_t kMaxBackends = 4096;  // in all pools together
inline constexpr std::size_t kLongestName = 63;
inline constexpr unsigned kMaxConnectAttempts = 8;

// Where `holdfast reload` and its like find a running instance.
inline constexpr const char* kDefaultSocket = "/run/holdfast/control.sock";

struct LogConfig {
  LogLevel level = LogLevel::info;
  ConnectionLog connections = ConnectionLog::failed;
};

struct AdminConfig {
  std::optional<Endpoint> http =
      Endpoint{.host = "127.0.0.1", .port = 9870, .path = {}};  // "off": nothing
  std::optional<Endpoint> socket = Endpoint{
      .kind = Endpoint::Kind::unix_path, .host = {}, .path = kDefaultSocket};  // "off": nothing
  Mark http_mark;
  Mark socket_mark;
};

struct BindConfig {
  Endpoint endpoint;
  Mark mark;
};

// Where socket options stand.
struct SocketMarks {
  Mark user_timeout;
  Mark keepalive;
  Mark count;  // of keepalive probes
  Mark fastopen;
  Mark bind_source;
};

struct ListenerConfig {
  std::string name;
  std::vector<BindConfig> bind;
  std::string pool;
  Milliseconds idle_timeout = std::chrono::hours(1);
  Milliseconds half_close_timeout = std::chrono::seconds(30);
  ListenOptions socket;
  SocketMarks socket_marks;
  Mark mark;
  Mark name_mark;
  Mark bind_mark;
  Mark pool_mark;
};

struct ConnectConfig {
  Milliseconds timeout = std::chrono::seconds(1);  // of one attempt
  unsigned attempts = 3;                           // backends tried for one client
  Milliseconds total = std::chrono::seconds(3);    // of all attempts for one client
  // How long an attempt may take before a second one races it; nothing: by what connects take in
  // this pool; 0: none does.
  std::optional<Milliseconds> hedge_after;
  ConnectOptions socket = {.source = {},
                           .stream = {.user_timeout = std::chrono::seconds(30), .keepalive = {}}};
  SocketMarks socket_marks;
  Mark timeout_mark;
  Mark attempts_mark;
  Mark total_mark;
  Mark hedge_after_mark;
};

// What takes a backend out before a check notices.
struct PassiveConfig {
  bool is_on = true;
  unsigned failures = 3;                              // in a row
  Milliseconds eject_for = std::chrono::seconds(10);  // the first time; longer each time after
  unsigned max_ejected = 50;                          // percent of the pool's backends
  Mark mark;
};

// What is kept of a client's bytes, to be sent to another backend.
struct ReplayConfig {
  std::size_t up_to = 0;  // bytes; 0: nothing
  Mark mark;
};

struct HealthConfig {
  CheckType type = CheckType::tcp;
  Milliseconds interval = std::chrono::seconds(2);
  Milliseconds timeout = std::chrono::seconds(1);
  unsigned rise = 2;  // successes in a row that bring a backend up
  unsigned fall = 3;  // failures in a row that take it down
  Mark timeout_mark;
};

struct BackendConfig {
  std::string name;
  Endpoint address;
  unsigned weight = 1;  // 0: takes no new connections
  Mark mark;
  Mark name_mark;
  Mark address_mark;
};

struct PoolConfig {
  std::string name;
  Balance balance = Balance::round_robin;
  ConnectConfig connect;
  PassiveConfig passive;
  ReplayConfig replay;
  HealthConfig health;
  std::vector<BackendConfig> backends;
  Mark mark;
  Mark name_mark;
  Mark backends_mark;
};

struct Config {
  std::optional<unsigned> threads;          // nothing: as many as CPUs this process may use
  std::optional<unsigned> max_connections;  // nothing: from the descriptor limit
  Milliseconds shutdown_timeout = std::chrono::seconds(30);
  Milliseconds watchdog = std::chrono::seconds(2);  // 0: none
  LogConfig log;
  AdminConfig admin;
  std::vector<ListenerConfig> listeners;
  std::vector<PoolConfig> pools;
  Mark threads_mark;
  Mark max_connections_mark;
  Mark listeners_mark;
};

}  // namespace holdfast
