#include "cli/log_line.h"

#include <algorithm>

namespace holdfast::cli {
namespace {

std::string_view take_word(std::string_view& text) {
  const auto end = std::min(text.find(' '), text.size());
  const auto word = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return word;
}

// Up to the closing quote, undoing quote_log_value(). A \xNN stays as it is: it stands for what
// should not reach a terminal.
std::optional<std::string> take_quoted(std::string_view& text) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(std::min(i + 2, text.size()));
      return value;
    }
    const bool escaped =
        text[i] == '\\' && i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    i += escaped ? 1 : 0;
    value += text[i];
  }
  return std::nullopt;
}

std::optional<std::string> take_value(std::string_view& text) {
  return text.starts_with('"') ? take_quoted(text) : std::string(take_word(text));
}

bool is_level(std::string_view word) {
  return word == "debug" || word == "info" || word == "warning" || word == "error";
}

// "2026-11-23T08:20:11.123Z"
bool is_time(std::string_view word) {
  return word.size() == 24 && word.ends_with('Z');
}

}  // namespace

std::optional<LogLine> LogLine::parse(std::string_view line) {
  if (!is_time(take_word(line))) {
    return std::nullopt;
  }
  LogLine parsed;
  parsed.level = std::string(take_word(line));
  if (!is_level(parsed.level)) {
    return std::nullopt;
  }
  while (!line.empty()) {
    const auto word = line.substr(0, line.find_first_of(" ="));
    if (word.size() == line.size() || line[word.size()] == ' ') {
      parsed.event += (parsed.event.empty() ? "" : " ") + std::string(take_word(line));
      continue;
    }
    line.remove_prefix(word.size() + 1);
    auto value = take_value(line);
    if (!value) {
      return std::nullopt;
    }
    parsed.fields.emplace_back(word, std::move(*value));
  }
  return parsed;
}

std::string_view LogLine::field(std::string_view key) const {
  const auto found = std::find_if(fields.begin(), fields.end(),
                                  [&](const auto& field) { return field.first == key; });
  return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace holdfast::cli
