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

// An operator's weight shows what it is in place of.
std::string weight_of(const Json& backend) {
  const auto weight = text(backend, "weight");
  const auto configured = text(backend, "configured_weight");
  return weight == configured ? weight : weight + " (" + configured + ")";
}

}  // namespace

std::string backend_table(const Json& backends) {
  std::vector<Row> rows = {{"BACKEND", "ADDRESS", "TIER", "HEALTH", "STATE", "WEIGHT",
                            "CONNECTIONS", "SET BY", "SET AT"}};
  for (const auto& backend : backends) {
    rows.push_back({text(backend, "pool") + "/" + text(backend, "name"), text(backend, "address"),
                    text(backend, "tier"), text(backend, "health"), text(backend, "state"),
                    weight_of(backend), text(backend, "connections"), text(backend, "set_by"),
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
