#include "holdfast/observe/events.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>
#include <string_view>

namespace holdfast::observe {
namespace {

using Json = nlohmann::ordered_json;

// ISO 8601; empty for a moment that has no date (gmtime(3)).
std::string to_time(std::int64_t milliseconds) {
  const std::time_t seconds = milliseconds / 1000;
  std::tm utc{};
  if (milliseconds < 0 || ::gmtime_r(&seconds, &utc) == nullptr) {
    return "";
  }
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900,
                utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec,
                static_cast<int>(milliseconds % 1000));
  return text;
}

Json to_fields(std::string_view text) {
  auto fields = Json::object();
  while (!text.empty()) {
    const auto line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const auto key = line.substr(0, line.find('='));
    fields[std::string(key)] = line.substr(std::min(key.size() + 1, line.size()));
  }
  return fields;
}

}  // namespace

std::string render_events(const state::SharedState& shared) {
  auto list = Json::array();
  for (const auto& event : shared.events.read()) {
    list.push_back({{"number", event.number},
                    {"time", to_time(event.at)},
                    {"event", to_string(event.kind)},
                    {"fields", to_fields(event.text)}});
  }
  constexpr int kOneLine = -1;
  return list.dump(kOneLine, ' ', /*ensure_ascii=*/true, Json::error_handler_t::replace) + '\n';
}

}  // namespace holdfast::observe
