#include "config/listener_reader.h"

#include "config/socket_reader.h"

namespace holdfast {
namespace {

using YAML::Node;

constexpr std::size_t kMaxBinds = 64;

void read_bind(Reader& reader, const Node& node, ListenerConfig& listener) {
  listener.bind_mark = mark_of(node.Mark());
  const auto add = [&](const Node& one) {
    listener.bind.push_back({{}, mark_of(one.Mark())});
    reader.endpoint(one, listener.bind.back().endpoint);
  };
  if (node.IsScalar()) {
    add(node);
    return;
  }
  reader.list(node, "bind", kMaxBinds, [&](const Node& one, std::size_t) { add(one); });
}

}  // namespace

void read_listener(Reader& reader, const Node& node, std::size_t place, Config& config) {
  static const auto keys = with_socket_keys<ListenerConfig>({
      {"name", kRequired, read_name<ListenerConfig>},
      {"bind", kRequired, read_bind},
      {"pool", kRequired,
       [](Reader& r, const Node& n, ListenerConfig& listener) {
         read_text(r, n, listener.pool, listener.pool_mark);
       }},
      {"idle_timeout", kOptional,
       [](Reader& r, const Node& n, ListenerConfig& listener) {
         r.duration(n, kShortest, kMonth, listener.idle_timeout);
       }},
      {"half_close_timeout", kOptional,
       [](Reader& r, const Node& n, ListenerConfig& listener) {
         r.duration(n, kShortest, kMonth, listener.half_close_timeout);
       }},
  });
  auto& listener = config.listeners.emplace_back();
  listener.mark = mark_of(node.Mark());
  reader.mapping(node, "listeners[" + std::to_string(place) + "]", keys, listener);
}

}  // namespace holdfast
