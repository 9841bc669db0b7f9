#include "config/rules.h"

#include <algorithm>

namespace holdfast {
namespace {

using Severity = Diagnostic::Severity;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == '-';
}

}  // namespace

void error(Diagnostics& diagnostics, Mark mark, std::string message, std::string help,
           std::size_t length) {
  diagnostics.push_back({Severity::error, mark, std::move(message), std::move(help), length});
}

void warning(Diagnostics& diagnostics, Mark mark, std::string message, std::string help) {
  diagnostics.push_back({Severity::warning, mark, std::move(message), std::move(help)});
}

std::string count_of(std::size_t number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

void check_name(const std::string& name, Mark mark, Diagnostics& diagnostics) {
  if (mark.line > 0 && (name.empty() || name.size() > kLongestName ||
                        !std::ranges::all_of(name, is_name_character))) {
    error(diagnostics, mark, "'" + name + "' is not a name",
          "1 to 63 letters, digits, '.', '_' and '-'", std::max<std::size_t>(name.size(), 1));
  }
}

}  // namespace holdfast
