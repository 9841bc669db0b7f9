#include "holdfast/config/diagnostic.h"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t kShownLine = 120;  // characters of a source line
constexpr std::size_t kShownText = 400;  // of a message, which may quote a value of any length

std::vector<std::string_view> split_lines(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (line.ends_with('\r')) {
      line.remove_suffix(1);
    }
    lines.push_back(line);
    if (end == std::string_view::npos) {
      return lines;
    }
    text.remove_prefix(end + 1);
  }
}

// One column per byte, so that the caret stays under what it means.
std::string harmless(std::string_view text, std::size_t at_most) {
  std::string shown(text.substr(0, at_most));
  std::ranges::replace(shown, '\t', ' ');
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return shown;
}

std::string harmless(std::string_view text) {
  return harmless(text, kShownText) + (text.size() > kShownText ? "..." : "");
}

std::string source_excerpt(const Diagnostic& diagnostic, std::string_view source_line) {
  const auto line = harmless(source_line, kShownLine);
  const auto number = std::to_string(diagnostic.mark.line);
  const auto column = static_cast<std::size_t>(std::max(diagnostic.mark.column, 1)) - 1;
  const std::string margin(std::max<std::size_t>(5, number.size()) - number.size(), ' ');
  std::string excerpt = margin + number + " | " + line + '\n';
  if (column <= line.size()) {
    const auto room = std::max<std::size_t>(line.size() - column, 1);
    excerpt += std::string(margin.size() + number.size(), ' ') + " | " + std::string(column, ' ') +
               '^' + std::string(std::clamp<std::size_t>(diagnostic.length, 1, room) - 1, '~') +
               '\n';
  }
  return excerpt;
}

}  // namespace

bool has_errors(std::span<const Diagnostic> diagnostics) {
  return std::ranges::any_of(diagnostics, [](const Diagnostic& diagnostic) {
    return diagnostic.severity == Diagnostic::Severity::error;
  });
}

std::string render(std::span<const Diagnostic> diagnostics, std::string_view file,
                   std::string_view text) {
  const auto lines = split_lines(text);
  std::string result;
  for (const auto& diagnostic : diagnostics) {
    const bool error = diagnostic.severity == Diagnostic::Severity::error;
    result += std::string(file) + ':';
    if (diagnostic.mark.line > 0) {
      result +=
          std::to_string(diagnostic.mark.line) + ':' + std::to_string(diagnostic.mark.column) + ':';
    }
    result += std::string(error ? " error: " : " warning: ") + harmless(diagnostic.message) + '\n';
    if (diagnostic.mark.line > 0) {
      const auto number = static_cast<std::size_t>(diagnostic.mark.line);
      result += source_excerpt(diagnostic, number <= lines.size() ? lines[number - 1] : "");
    }
    if (!diagnostic.help.empty()) {
      result += "help: " + harmless(diagnostic.help) + '\n';
    }
  }
  return result;
}

}  // namespace holdfast
