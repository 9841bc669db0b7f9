#include "holdfast/config/diagnostic.h"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::size_t kShown = 120;  // characters of a source line

std::string_view line_of(std::string_view text, int number) {
  for (int line = 1; line < number; ++line) {
    const auto end = text.find('\n');
    if (end == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find('\n'));
}

// Text out of the file, without what a terminal would obey. One column per byte, so that the caret
// stays under what it means.
std::string harmless(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(
      shown, [](char c) { return c == '\t'; }, ' ');
  std::ranges::replace_if(
      shown, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; }, '?');
  return shown;
}

std::string source_excerpt(const Diagnostic& diagnostic, std::string_view text) {
  const auto line = harmless(line_of(text, diagnostic.mark.line).substr(0, kShown));
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
      result += source_excerpt(diagnostic, text);
    }
    if (!diagnostic.help.empty()) {
      result += "help: " + harmless(diagnostic.help) + '\n';
    }
  }
  return result;
}

}  // namespace holdfast
