#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace holdfast::cli {

// One line that base/log wrote, taken apart again: "time level event key=value key=\"a value\"".
struct LogLine {
  std::string level;
  std::string event;  // may be several words: "backend down"
  std::vector<std::pair<std::string, std::string>> fields;

  // Nothing when the line is none of ours.
  [[nodiscard]] static std::optional<LogLine> parse(std::string_view line);
  // Empty when there is no such field.
  [[nodiscard]] std::string_view field(std::string_view key) const;
};

}  // namespace holdfast::cli
