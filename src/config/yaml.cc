#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>

#include <optional>
#include <sstream>
#include <string>

#include "config/listener_reader.h"
#include "config/pool_reader.h"
#include "config/reader.h"

namespace holdfast {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using YAML::Node;

constexpr Milliseconds kShortestWatchdog = milliseconds(1500);  // threads report twice a second

void read_automatic(Reader& reader, const Node& node, unsigned most,
                    std::optional<unsigned>& value) {
  if (node.IsScalar() && node.Scalar() == "auto") {
    value.reset();
    return;
  }
  unsigned number = 0;
  reader.number(node, 1, most, number);
  if (number > 0) {
    value = number;
  }
}

void read_watchdog(Reader& reader, const Node& node, Milliseconds& watchdog) {
  if (is_off(node)) {
    watchdog = Milliseconds(0);
    return;
  }
  reader.duration(node, kShortestWatchdog, kDay, watchdog, "or write off");
}

void read_log(Reader& reader, const Node& node, Config& config) {
  static const Keys<LogConfig> keys = {
      {"level", kOptional, [](Reader& r, const Node& n, LogConfig& log) { r.word(n, log.level); }},
      {"connections", kOptional,
       [](Reader& r, const Node& n, LogConfig& log) { r.word(n, log.connections); }},
  };
  reader.mapping(node, "log", keys, config.log);
}

void read_socket(Reader& reader, const Node& node, AdminConfig& admin) {
  admin.socket_mark = mark_of(node.Mark());
  const auto path = reader.text(node);
  if (!path) {
    return;
  }
  if (*path == "off") {
    admin.socket.reset();
    return;
  }
  if (const auto endpoint = Endpoint::parse("unix:" + *path)) {
    admin.socket = *endpoint;
  } else {
    reader.error(node, "'" + *path + "' is not a path for a Unix socket",
                 "an absolute path of at most 107 bytes, or off");
  }
}

void read_admin(Reader& reader, const Node& node, Config& config) {
  static const Keys<AdminConfig> keys = {
      {"http", kOptional,
       [](Reader& r, const Node& n, AdminConfig& admin) {
         admin.http_mark = mark_of(n.Mark());
         if (is_off(n)) {
           admin.http.reset();
           return;
         }
         r.endpoint(n, *admin.http);
       }},
      {"socket", kOptional, read_socket},
  };
  reader.mapping(node, "admin", keys, config.admin);
}

void read_config(Reader& reader, const Node& node, Config& config) {
  static const Keys<Config> keys = {
      {"threads", kOptional,
       [](Reader& r, const Node& n, Config& c) { read_automatic(r, n, kMaxThreads, c.threads); }},
      {"max_connections", kOptional,
       [](Reader& r, const Node& n, Config& c) {
         read_automatic(r, n, kMostConnections, c.max_connections);
       }},
      {"shutdown_timeout", kOptional,
       [](Reader& r, const Node& n, Config& c) {
         r.duration(n, Milliseconds(0), kDay, c.shutdown_timeout);
       }},
      {"watchdog", kOptional,
       [](Reader& r, const Node& n, Config& c) { read_watchdog(r, n, c.watchdog); }},
      {"max_checks", kOptional,
       [](Reader& r, const Node& n, Config& c) {
         r.number(n, 1, static_cast<unsigned>(kMaxBackends), c.max_checks);
       }},
      {"log", kOptional, read_log},
      {"admin", kOptional, read_admin},
      {"listeners", kRequired,
       [](Reader& r, const Node& n, Config& c) {
         c.listeners_mark = n.IsSequence() ? mark_of(n.Mark()) : Mark{};
         r.list(n, "listeners", kMaxListeners,
                [&](const Node& one, std::size_t at) { read_listener(r, one, at, c); });
       }},
      {"pools", kRequired,
       [](Reader& r, const Node& n, Config& c) {
         r.list(n, "pools", kMaxPools,
                [&](const Node& one, std::size_t at) { read_pool(r, one, at, c); });
       }},
  };
  reader.mapping(node, "the configuration", keys, config);
}

// Where documents begin; what is in them is nobody's business here.
class DocumentStarts final : public YAML::EventHandler {
 public:
  using Anchor = YAML::anchor_t;
  using Style = YAML::EmitterStyle::value;

  void OnDocumentStart(const YAML::Mark& mark) override { marks.push_back(mark); }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark&, Anchor) override {}
  void OnAlias(const YAML::Mark&, Anchor) override {}
  void OnScalar(const YAML::Mark&, const std::string&, Anchor, const std::string&) override {}
  void OnSequenceStart(const YAML::Mark&, const std::string&, Anchor, Style) override {}
  void OnSequenceEnd() override {}
  void OnMapStart(const YAML::Mark&, const std::string&, Anchor, Style) override {}
  void OnMapEnd() override {}

  std::vector<YAML::Mark> marks;
};

// Where a second document begins, if one does. Not by YAML::LoadAll: a token that can't begin a
// document, such as a comma, gives it empty documents without end.
std::optional<YAML::Mark> second_document(const std::string& text) {
  std::istringstream input(text);
  YAML::Parser parser(input);
  DocumentStarts starts;
  while (starts.marks.size() < 2 && parser.HandleNextDocument(starts)) {
  }
  return starts.marks.size() < 2 ? std::nullopt : std::optional(starts.marks[1]);
}

}  // namespace

Config parse_yaml(std::string_view text, Diagnostics& diagnostics) {
  Config config;
  const auto error = [&](const YAML::Mark& mark, std::string message, std::string help = {}) {
    diagnostics.push_back({Diagnostic::Severity::error, mark.is_null() ? Mark{} : mark_of(mark),
                           std::move(message), std::move(help)});
  };
  try {
    const auto document = YAML::Load(std::string(text));
    if (const auto second = second_document(std::string(text))) {
      error(*second, "a second document begins here", "one file holds one document");
    } else if (document.IsNull()) {
      error(YAML::Mark::null_mark(), "the file is empty",
            "it needs 'listeners' and 'pools'; see the samples in conf/");
    } else {
      Reader reader(diagnostics);
      read_config(reader, document, config);
    }
  } catch (const YAML::Exception& exception) {
    error(exception.mark, exception.msg);
  }
  return config;
}

}  // namespace holdfast
