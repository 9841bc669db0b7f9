#include "config/pool_reader.h"

#include <algorithm>

#include "config/choosing_reader.h"
#include "config/health_reader.h"
#include "config/socket_reader.h"

namespace holdfast {
namespace {

using std::chrono::milliseconds;
using YAML::Node;

// What a pipe holds.
constexpr std::size_t kMostReplayed = 64 * 1024;

constexpr const char* kPassiveOff = "where nothing is to be ejected, write passive: off";

void read_hedge_after(Reader& reader, const Node& node, ConnectConfig& connect) {
  const auto mark = mark_of(node.Mark());
  Milliseconds given(0);
  if (node.IsScalar() && node.Scalar() == "auto") {
    connect.hedge_after = std::nullopt;
    connect.hedge_after_mark = mark;
  } else if (is_off(node) ||
             reader.duration(node, kShortest, kDay, given, "or write auto, or off")) {
    connect.hedge_after = given;
    connect.hedge_after_mark = mark;
  }
}

void read_connect(Reader& reader, const Node& node, PoolConfig& pool) {
  static const auto keys = with_socket_keys<ConnectConfig>({
      {"timeout", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         if (r.duration(n, kShortest, kDay, connect.timeout)) {
           connect.timeout_mark = mark_of(n.Mark());
         }
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
      {"total", kOptional,
       [](Reader& r, const Node& n, ConnectConfig& connect) {
         if (r.duration(n, kShortest, kDay, connect.total)) {
           connect.total_mark = mark_of(n.Mark());
         }
       }},
      {"hedge_after", kOptional, read_hedge_after},
  });
  reader.mapping(node, "connect", keys, pool.connect);
  if (pool.connect.total_mark.line == 0) {
    pool.connect.total = std::max(pool.connect.total, pool.connect.timeout);
  }
}

void read_passive(Reader& reader, const Node& node, PoolConfig& pool) {
  static const Keys<PassiveConfig> keys = {
      {"failures", kOptional,
       [](Reader& r, const Node& n, PassiveConfig& passive) {
         r.number(n, 1, 1000, passive.failures, kPassiveOff);
       }},
      {"eject_for", kOptional,
       [](Reader& r, const Node& n, PassiveConfig& passive) {
         r.duration(n, milliseconds(10), kDay, passive.eject_for, kPassiveOff);
       }},
      {"max_ejected", kOptional,
       [](Reader& r, const Node& n, PassiveConfig& passive) {
         r.percent(n, 1, 100, passive.max_ejected, kPassiveOff);
       }},
  };
  pool.passive.mark = mark_of(node.Mark());
  if (is_off(node)) {
    pool.passive.is_on = false;
    return;
  }
  reader.mapping(node, "passive", keys, pool.passive);
}

void read_replay(Reader& reader, const Node& node, PoolConfig& pool) {
  static const Keys<ReplayConfig> keys = {
      {"up_to", kRequired,
       [](Reader& r, const Node& n, ReplayConfig& replay) {
         r.size(n, 1, kMostReplayed, replay.up_to, "as in 16KiB, or write replay: off");
       }},
  };
  if (!is_off(node)) {
    pool.replay.mark = mark_of(node.Mark());
    reader.mapping(node, "replay", keys, pool.replay);
  }
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
      {"tier", kOptional, read_tier},
      {"max_connections", kOptional, read_backend_limit},
  };
  auto& backend = pool.backends.emplace_back();
  backend.mark = mark_of(node.Mark());
  reader.mapping(node, "backends[" + std::to_string(place) + "]", keys, backend);
}

}  // namespace

void read_pool(Reader& reader, const Node& node, std::size_t place, Config& config) {
  static const Keys<PoolConfig> keys = {
      {"name", kRequired, read_name<PoolConfig>},
      {"balance", kOptional, read_balance},
      {"hash", kOptional, read_hash},
      {"min_healthy", kOptional, read_min_healthy},
      {"panic_threshold", kOptional, read_panic_threshold},
      {"slow_start", kOptional, read_slow_start},
      {"queue", kOptional, read_queue},
      {"connect", kOptional, read_connect},
      {"passive", kOptional, read_passive},
      {"replay", kOptional, read_replay},
      {"health", kOptional, read_health},
      {"on_down", kOptional,
       [](Reader& r, const Node& n, PoolConfig& pool) {
         pool.on_down_mark = mark_of(n.Mark());
         r.word(n, pool.on_down);
       }},
      {"on_up_from_lower_tier", kOptional,
       [](Reader& r, const Node& n, PoolConfig& pool) {
         pool.on_up_from_lower_tier_mark = mark_of(n.Mark());
         r.word(n, pool.on_up_from_lower_tier);
       }},
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
