#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/base/endpoint.h"
#include "holdfast/base/log.h"
#include "holdfast/base/socket_options.h"
#include "holdfast/config/health_config.h"
#include "holdfast/config/mark.h"

namespace holdfast {

// The configuration as plain values with their defaults. Parsing (config/yaml), judging
// (config/validate) and applying (worker/) are three places; nothing here does any of them.

enum class ConnectionLog : std::uint8_t { none, failed, all };
enum class Balance : std::uint8_t {
  round_robin,
  least_connections,
  power_of_two,
  random,
  first,
  maglev,
};
enum class HashKey : std::uint8_t { client_ip, client_ip_port };
// What becomes of connections when new ones would go elsewhere.
enum class Established : std::uint8_t { keep, close };

// The most of each; the shared state has room for as many.
inline constexpr unsigned kMaxThreads = 64;
inline constexpr std::size_t kMaxListeners = 256;
inline constexpr std::size_t kMaxPools = 256;
inline constexpr std::size_t kMaxBackends = 4096;  // in all pools together
inline constexpr std::size_t kLongestName = 63;
inline constexpr unsigned kMaxConnectAttempts = 8;
inline constexpr unsigned kMaxTier = 15;
inline constexpr unsigned kMostConnections = 10'000'000;

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

// What a client is recognised by.
struct HashConfig {
  HashKey key = HashKey::client_ip;
  unsigned table_size = 65'537;  // prime
  Mark mark;
  Mark table_size_mark;
};

// Clients that wait for a place on a backend.
struct QueueConfig {
  unsigned size = 0;  // 0: nobody waits
  Milliseconds timeout = std::chrono::seconds(5);
  Mark mark;
};

struct BackendConfig {
  std::string name;
  Endpoint address;
  unsigned weight = 1;           // 0: takes no new connections
  unsigned tier = 0;             // used when those below haven't enough backends left
  unsigned max_connections = 0;  // 0: no limit
  Mark mark;
  Mark name_mark;
  Mark address_mark;
  Mark tier_mark;
  Mark max_connections_mark;
};

struct PoolConfig {
  std::string name;
  Balance balance = Balance::round_robin;
  ConnectConfig connect;
  PassiveConfig passive;
  ReplayConfig replay;
  HealthConfig health;
  HashConfig hash;
  QueueConfig queue;
  unsigned min_healthy = 1;      // serving backends that keep the next tier out of use
  unsigned panic_threshold = 0;  // percent of healthy backends below which all are tried
  Milliseconds slow_start{0};    // until a backend that came back has its whole weight; 0: at once
  Established on_down = Established::keep;                // of the backend that went down
  Established on_up_from_lower_tier = Established::keep;  // of the tiers above it
  std::vector<BackendConfig> backends;
  Mark mark;
  Mark name_mark;
  Mark backends_mark;
  Mark balance_mark;
  Mark min_healthy_mark;
  Mark panic_threshold_mark;
  Mark slow_start_mark;
  Mark on_down_mark;
  Mark on_up_from_lower_tier_mark;
};

struct Config {
  std::optional<unsigned> threads;          // nothing: as many as CPUs this process may use
  std::optional<unsigned> max_connections;  // nothing: from the descriptor limit
  Milliseconds shutdown_timeout = std::chrono::seconds(30);
  Milliseconds watchdog = std::chrono::seconds(2);  // 0: none
  unsigned max_checks = 512;                        // health checks under way at a time
  LogConfig log;
  AdminConfig admin;
  std::vector<ListenerConfig> listeners;
  std::vector<PoolConfig> pools;
  Mark threads_mark;
  Mark max_connections_mark;
  Mark listeners_mark;
};

}  // namespace holdfast
