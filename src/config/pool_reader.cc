#include "config/pool_reader.h"

#include "config/socket_reader.h"

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using YAML::Node;

void read_connect(Reader& reader, const Node& node, PoolConfig& pool) {
  static const Keys<ConnectConfig> keys = {
      {"timeout", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         connect.timeout_mark = mark_of(n.Mark());
         r.duration(n, kShortest, kDay, connect.timeout);
       }},
      {"attempts", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         if (r.number(n, 1, kMaxConnectAttempts, connect.attempts)) {
           connect.attempts_mark = mark_of(n.Mark());
         }
       }},
      {"bind_source", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         read_bind_source(r, n, connect.socket, connect.socket_marks);
       }},
      {"user_timeout", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         read_user_timeout(r, n, connect.socket.stream, connect.socket_marks);
       }},
      {"keepalive", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         read_keepalive(r, n, connect.socket.stream, connect.socket_marks);
       }},
      {"fastopen", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         read_fastopen(r, n, connect.socket, connect.socket_marks);
       }},
  };
  reader.mapping(node, "connect", keys, pool.connect);
}

void read_health(Reader& reader, const Node& node, PoolConfig& pool) {
  static const Keys<HealthConfig> keys = {
      {"type", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) { r.word(n, health.type); }},
      {"interval", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         r.duration(n, milliseconds(10), kDay, health.interval);
       }},
      {"timeout", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         health.timeout_mark = mark_of(n.Mark());
         r.duration(n, kShortest, kDay, health.timeout);
       }},
      {"rise", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) { r.number(n, 1, 100, health.rise); }},
      {"fall", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) { r.number(n, 1, 100, health.fall); }},
  };
  reader.mapping(node, "health", keys, pool.health);
}

void read_backend(Reader& reader, const Node& node, std::size_t place, PoolConfig& pool) {
  static const Keys<BackendConfig> keys = {
      {"name", kRequired, read_name<BackendConfig>},
      {"address", kRequired,
       [](Reader& r, const Node& n, BackendConfig& backend) {
         backend.address_mark = mark_of(n.Mark());
         r.endpoint(n, backend.address);
       }},
      {"weight", kOptional,
       [](Reader& r, const Node& n, BackendConfig& backend) {
         r.number(n, 0, 1000, backend.weight);
       }},
  };
  auto& backend = pool.backends.emplace_back();
  backend.mark = mark_of(node.Mark());
  reader.mapping(node, "backends[" + std::to_string(place) + "]", keys, backend);
}

}  // namespace

void read_pool(Reader& reader, const Node& node, std::size_t place, Config& config) {
  static const Keys<PoolConfig> keys = {
      {"name", kRequired, read_name<PoolConfig>},
      {"balance", kOptional,
       [](Reader& r, const Node& n, PoolConfig& pool) { r.word(n, pool.balance); }},
      {"connect", kOptional, read_connect},
      {"health", kOptional, read_health},
      {"backends", kRequired,
       [](Reader& r, const Node& n, PoolConfig& pool) {
         pool.backends_mark = n.IsSequence() ? mark_of(n.Mark()) : Mark{};
         r.list(n, "backends", kMaxBackends,
                [&](const Node& one, std::size_t at) { read_backend(r, one, at, pool); });
       }},
  };
  auto& pool = config.pools.emplace_back();
  pool.mark = mark_of(node.Mark());
  reader.mapping(node, "pools[" + std::to_string(place) + "]", keys, pool);
}

}  // namespace holdfast
