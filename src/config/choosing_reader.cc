#include "config/choosing_reader.h"

namespace holdfast {
namespace {

using YAML::Node;

constexpr unsigned kSmallestTable = 2;
constexpr unsigned kLargestTable = 5'000'011;  // prime, 10 MB
constexpr unsigned kLongestQueue = 1'000'000;

}  // namespace

void read_balance(Reader& reader, const Node& node, PoolConfig& pool) {
  pool.balance_mark = mark_of(node.Mark());
  reader.word(node, pool.balance);
}

void read_hash(Reader& reader, const Node& node, PoolConfig& pool) {
  static const Keys<HashConfig> keys = {
      {"key", kOptional, [](Reader& r, const Node& n, HashConfig& hash) { r.word(n, hash.key); }},
      {"table_size", kOptional,
       [](Reader& r, const Node& n, HashConfig& hash) {
         if (r.number(n, kSmallestTable, kLargestTable, hash.table_size)) {
           hash.table_size_mark = mark_of(n.Mark());
         }
       }},
  };
  pool.hash.mark = mark_of(node.Mark());
  reader.mapping(node, "hash", keys, pool.hash);
}

void read_queue(Reader& reader, const Node& node, PoolConfig& pool) {
  static const Keys<QueueConfig> keys = {
      {"size", kRequired,
       [](Reader& r, const Node& n, QueueConfig& queue) {
         r.number(n, 1, kLongestQueue, queue.size, "where nobody is to wait, write queue: off");
       }},
      {"timeout", kOptional,
       [](Reader& r, const Node& n, QueueConfig& queue) {
         r.duration(n, kShortest, kDay, queue.timeout);
       }},
  };
  if (!is_off(node)) {
    pool.queue.mark = mark_of(node.Mark());
    reader.mapping(node, "queue", keys, pool.queue);
  }
}

void read_min_healthy(Reader& reader, const Node& node, PoolConfig& pool) {
  if (reader.number(node, 1, kMaxBackends, pool.min_healthy)) {
    pool.min_healthy_mark = mark_of(node.Mark());
  }
}

void read_panic_threshold(Reader& reader, const Node& node, PoolConfig& pool) {
  if (reader.percent(node, 0, 100, pool.panic_threshold, "as in 50%")) {
    pool.panic_threshold_mark = mark_of(node.Mark());
  }
}

void read_slow_start(Reader& reader, const Node& node, PoolConfig& pool) {
  if (is_off(node)) {
    pool.slow_start = Milliseconds(0);
    return;
  }
  if (reader.duration(node, kShortest, kDay, pool.slow_start, "or write off")) {
    pool.slow_start_mark = mark_of(node.Mark());
  }
}

void read_tier(Reader& reader, const Node& node, BackendConfig& backend) {
  if (reader.number(node, 0, kMaxTier, backend.tier)) {
    backend.tier_mark = mark_of(node.Mark());
  }
}

void read_backend_limit(Reader& reader, const Node& node, BackendConfig& backend) {
  if (is_off(node)) {
    backend.max_connections = 0;
    return;
  }
  backend.max_connections_mark = mark_of(node.Mark());
  reader.number(node, 1, kMostConnections, backend.max_connections,
                "or write off for no limit, or weight: 0 for no connections");
}

}  // namespace holdfast
