#include "cli/backend_table.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <vector>

namespace holdfast::cli {
namespace {

using Json = nlohmann::json;
using Row = std::array<std::string, 9>;

constexpr std::size_t kGap = 2;

std::string text(const Json& backend, const char* key) {
  const auto value = backend.find(key);
  if (value == backend.end() || value->is_null()) {
    return "-";
  }
  return value->is_string() ? value->get<std::string>() : value->dump();
}

std::string time_of(const Json& backend) {
  const auto at = backend.find("set_at_ms");
  if (at == backend.end() || !at->is_number()) {
    return "-";
  }
  const auto seconds = static_cast<std::time_t>(at->get<std::int64_t>() / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> written{};
  const auto size = std::strftime(written.data(), written.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return {written.data(), size};
}

// What the backend's agent asks for that isn't usual; an empty object for nothing.
Json agent_of(const Json& backend) {
  const auto agent = backend.find("agent");
  return agent != backend.end() && agent->is_object() ? *agent : Json::object();
}

// An operator's word comes before an agent's, which counts as well.
std::string state_of(const Json& backend) {
  const auto state = text(backend, "state");
  const auto wish = agent_of(backend).value("state", "ready");
  return state == "ready" && wish != "ready" ? wish + " (agent)" : state;
}

// An operator's weight shows what it is in place of, and an agent what it leaves of it.
std::string weight_of(const Json& backend) {
  const auto weight = text(backend, "weight");
  const auto configured = text(backend, "configured_weight");
  const auto percent = agent_of(backend).value("weight_percent", 100U);
  return weight + (weight == configured ? "" : " (" + configured + ")") +
         (percent == 100 ? "" : " at " + std::to_string(percent) + "%");
}

// Checks that find a backend down have the last word on it. Out for no longer means that it is
// about to be tried.
std::string health_of(const Json& backend) {
  auto health = text(backend, "health");
  const auto ejected = backend.find("ejected");
  if (health == "down" || ejected == backend.end() || !ejected->is_object()) {
    return health;
  }
  const auto left = ejected->value("left_ms", std::int64_t{0});
  return left > 0 ? "ejected " + std::to_string((left + 999) / 1000) + "s" : "ejected";
}

// Of how many, where there is a limit.
std::string connections_of(const Json& backend) {
  const auto most = backend.value("max_connections", 0U);
  return text(backend, "connections") + (most > 0 ? "/" + std::to_string(most) : "");
}

}  // namespace

std::string backend_table(const Json& backends) {
  std::vector<Row> rows = {{"BACKEND", "ADDRESS", "TIER", "HEALTH", "STATE", "WEIGHT",
                            "CONNECTIONS", "SET BY", "SET AT"}};
  for (const auto& backend : backends) {
    rows.push_back({text(backend, "pool") + "/" + text(backend, "name"), text(backend, "address"),
                    text(backend, "tier"), health_of(backend), state_of(backend),
                    weight_of(backend), connections_of(backend), text(backend, "set_by"),
                    time_of(backend)});
  }
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const auto& row : rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      widths[column] = std::max(widths[column], row[column].size());
    }
  }
  std::string table;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t column = 0; column < row.size(); ++column) {
      line += row[column] + std::string(widths[column] - row[column].size() + kGap, ' ');
    }
    table += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return table;
}

}  // namespace holdfast::cli
