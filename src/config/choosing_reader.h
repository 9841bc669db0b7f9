#pragma once

#include "config/reader.h"

namespace holdfast {

// The keys that say which backend a client gets: one each, into its pool or backend.
void read_balance(Reader& reader, const YAML::Node& node, PoolConfig& pool);
void read_hash(Reader& reader, const YAML::Node& node, PoolConfig& pool);
void read_queue(Reader& reader, const YAML::Node& node, PoolConfig& pool);
void read_min_healthy(Reader& reader, const YAML::Node& node, PoolConfig& pool);
void read_panic_threshold(Reader& reader, const YAML::Node& node, PoolConfig& pool);
void read_slow_start(Reader& reader, const YAML::Node& node, PoolConfig& pool);
void read_tier(Reader& reader, const YAML::Node& node, BackendConfig& backend);
void read_backend_limit(Reader& reader, const YAML::Node& node, BackendConfig& backend);

}  // namespace holdfast
