#include "config/socket_reader.h"

namespace holdfast {
namespace {

using std::chrono::seconds;
using YAML::Node;

// The most that tcp(7) takes.
constexpr Milliseconds kLongestKeepalive = seconds(32767);
constexpr unsigned kMostProbes = 127;
constexpr unsigned kLongestFastopenQueue = 65535;

struct KeepaliveReading {
  Keepalive& keepalive;
  SocketMarks& marks;
};

// The kernel counts these in seconds.
void read_seconds(Reader& reader, const Node& node, Milliseconds& value) {
  auto read = value;
  reader.duration(node, seconds(1), kLongestKeepalive, read);
  if (read % seconds(1) != Milliseconds(0)) {
    reader.error(node, "'" + node.Scalar() + "' is not a number of whole seconds", "as in 15s");
    return;
  }
  value = read;
}

bool is_any_address(const SocketAddress& address) {
  const auto host = address.endpoint().host;
  return host == "0.0.0.0" || host == "::";
}

}  // namespace

void read_user_timeout(Reader& reader, const Node& node, StreamOptions& options,
                       SocketMarks& marks) {
  Milliseconds given(0);
  if (is_off(node) || reader.duration(node, kShortest, kDay, given, "or write off")) {
    options.user_timeout = given;
    marks.user_timeout = mark_of(node.Mark());
  }
}

void read_keepalive(Reader& reader, const Node& node, StreamOptions& options, SocketMarks& marks) {
  static const Keys<KeepaliveReading> keys = {
      {"idle", kOptional,
       [](Reader& r, const Node& n, KeepaliveReading& reading) {
         read_seconds(r, n, reading.keepalive.idle);
       }},
      {"interval", kOptional,
       [](Reader& r, const Node& n, KeepaliveReading& reading) {
         read_seconds(r, n, reading.keepalive.interval);
       }},
      {"count", kOptional,
       [](Reader& r, const Node& n, KeepaliveReading& reading) {
         reading.marks.count = mark_of(n.Mark());
         r.number(n, 1, kMostProbes, reading.keepalive.count);
       }},
  };
  marks.keepalive = mark_of(node.Mark());
  if (is_off(node)) {
    options.keepalive = {.on = false};
    return;
  }
  if (node.IsScalar()) {
    reader.error(node, "'" + node.Scalar() + "' is neither off nor a mapping",
                 "as in { idle: 60s, interval: 10s, count: 3 }");
    return;
  }
  KeepaliveReading reading{options.keepalive, marks};
  reader.mapping(node, "keepalive", keys, reading);
}

void read_fastopen(Reader& reader, const Node& node, ListenOptions& options, SocketMarks& marks) {
  marks.fastopen = mark_of(node.Mark());
  if (is_off(node)) {
    options.fastopen = 0;
    return;
  }
  reader.number(node, 1, kLongestFastopenQueue, options.fastopen, "or write off");
}

void read_fastopen(Reader& reader, const Node& node, ConnectOptions& options, SocketMarks& marks) {
  marks.fastopen = mark_of(node.Mark());
  if (const auto word = reader.text(node); word && *word != "on" && *word != "off") {
    reader.error(node, "'" + *word + "' is neither on nor off");
  } else {
    options.fastopen = word == "on";
  }
}

void read_bind_source(Reader& reader, const Node& node, ConnectOptions& options,
                      SocketMarks& marks) {
  const auto host = reader.text(node);
  if (!host) {
    return;
  }
  const auto address = SocketAddress::from(Endpoint{.host = *host, .path = {}});
  if (!address || is_any_address(*address)) {
    reader.error(node, "'" + *host + "' is not an address of this host",
                 "a numeric one without a port, as in 10.0.0.1 or \"2001:db8::1\"");
    return;
  }
  marks.bind_source = mark_of(node.Mark());
  options.source = *address;
}

}  // namespace holdfast
