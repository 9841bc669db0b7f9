#include "config/health_reader.h"

#include "config/byte_size.h"
#include "config/escapes.h"
#include "config/status_ranges.h"

namespace holdfast {
namespace {

using YAML::Node;

constexpr Milliseconds kShortestInterval = std::chrono::milliseconds(10);

std::optional<bool> read_switch(const Node& node) {
  if (!node.IsScalar()) {
    return std::nullopt;
  }
  const auto& text = node.Scalar();
  if (text == "true" || text == "on") {
    return true;
  }
  return text == "false" || text == "off" ? std::optional(false) : std::nullopt;
}

void read_interval(Reader& reader, const Node& node, std::optional<Milliseconds>& value) {
  Milliseconds given(0);
  if (reader.duration(node, kShortestInterval, kDay, given)) {
    value = given;
  }
}

void read_bytes(Reader& reader, const Node& node, std::string& value) {
  const auto text = reader.text(node);
  if (!text) {
    return;
  }
  auto bytes = unescape(*text);
  if (!bytes) {
    reader.error(node, bytes.error().message);
  } else if (bytes->empty() || bytes->size() > kLongestCheckText) {
    reader.error(node,
                 bytes->empty() ? "nothing stands here"
                                : "this is longer than " + format_byte_size(kLongestCheckText),
                 bytes->empty() ? "write the bytes, or leave the key out" : "");
  } else {
    value = std::move(*bytes);
  }
}

void read_limit(Reader& reader, const Node& node, HealthConfig& health) {
  health.limit_mark = mark_of(node.Mark());
  reader.size(node, 1, kLongestAnswer, health.limit);
}

void read_status(Reader& reader, const Node& node, HealthConfig& health) {
  if (node.IsSequence()) {
    reader.error(node, "a single value is expected here",
                 "as in 200,204,300-399, without brackets");
    return;
  }
  const auto text = reader.text(node);
  if (!text) {
    return;
  }
  auto ranges = parse_status_ranges(*text);
  if (ranges) {
    health.status = std::move(*ranges);
  } else {
    reader.error(node, ranges.error().message);
  }
}

void read_tls(Reader& reader, const Node& node, HealthConfig& health) {
  static const Keys<CheckTlsConfig> keys = {
      {"verify", kOptional,
       [](Reader& r, const Node& n, CheckTlsConfig& tls) {
         if (const auto given = read_switch(n)) {
           tls.verify = *given;
         } else if (r.text(n)) {
           r.error(n, "'" + n.Scalar() + "' is neither true nor false");
         }
       }},
      {"sni", kOptional,
       [](Reader& r, const Node& n, CheckTlsConfig& tls) {
         read_text(r, n, tls.sni, tls.sni_mark);
       }},
      {"ca", kOptional,
       [](Reader& r, const Node& n, CheckTlsConfig& tls) { read_text(r, n, tls.ca, tls.ca_mark); }},
  };
  if (const auto given = read_switch(node)) {
    if (*given) {
      health.tls.emplace().mark = mark_of(node.Mark());
    } else {
      health.tls.reset();
    }
    return;
  }
  if (node.IsScalar()) {
    reader.error(node, "'" + node.Scalar() + "' is neither on nor off",
                 "or a mapping of verify, sni and ca");
    return;
  }
  health.tls.emplace().mark = mark_of(node.Mark());
  reader.mapping(node, "health.tls", keys, *health.tls);
}

const Keys<HealthConfig>& health_keys() {
  static const Keys<HealthConfig> keys = {
      {"type", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         health.type_mark = mark_of(n.Mark());
         r.word(n, health.type);
       }},
      {"interval", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         if (r.duration(n, kShortestInterval, kDay, health.interval)) {
           health.interval_mark = mark_of(n.Mark());
         }
       }},
      {"fast_interval", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         read_interval(r, n, health.fast_interval);
         health.fast_interval_mark = mark_of(n.Mark());
       }},
      {"down_interval", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         read_interval(r, n, health.down_interval);
       }},
      {"timeout", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         if (r.duration(n, kShortest, kDay, health.timeout)) {
           health.timeout_mark = mark_of(n.Mark());
         }
       }},
      {"rise", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) { r.number(n, 1, 100, health.rise); }},
      {"fall", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) { r.number(n, 1, 100, health.fall); }},
      {"port", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         health.port_mark = mark_of(n.Mark());
         r.number(n, 1, 65535, health.port);
       }},
      {"address", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         health.address_mark = mark_of(n.Mark());
         Endpoint address;
         r.endpoint(n, address);
         if (address != Endpoint{}) {
           health.address = address;
         }
       }},
      {"tls", kOptional, read_tls},
      {"send", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) { read_bytes(r, n, health.send); }},
      {"expect", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         health.expect_mark = mark_of(n.Mark());
         read_bytes(r, n, health.expect);
       }},
      {"limit", kOptional, read_limit},
      {"method", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         read_text(r, n, health.method, health.method_mark);
       }},
      {"path", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         read_text(r, n, health.path, health.path_mark);
       }},
      {"host", kOptional,
       [](Reader& r, const Node& n, HealthConfig& health) {
         read_text(r, n, health.host, health.host_mark);
       }},
      {"status", kOptional, read_status},
  };
  return keys;
}

}  // namespace

void read_health(Reader& reader, const Node& node, PoolConfig& pool) {
  pool.health.mark = mark_of(node.Mark());
  reader.mapping(node, "health", health_keys(), pool.health);
  if (!node.IsMap()) {
    return;
  }
  for (const auto& pair : node) {
    if (pair.first.IsScalar()) {
      pool.health.given.push_back({pair.first.Scalar(), mark_of(pair.first.Mark())});
    }
  }
}

}  // namespace holdfast
