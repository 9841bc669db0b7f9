#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/config/config.h"

namespace holdfast {

// Something to say about a configuration: where, what, and how to mend it.
struct Diagnostic {
  enum class Severity : std::uint8_t { error, warning };  // a warning refuses nothing

  Severity severity = Severity::error;
  Mark mark;
  std::string message;
  std::string help;        // "did you mean 'interval'?"; may be empty
  std::size_t length = 1;  // characters under the caret
};

using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool has_errors(std::span<const Diagnostic> diagnostics);

// As compilers print them: "file:line:column: error: message", the source line, a caret under the
// place, and the help. Whatever the text holds, what is printed of it is harmless.
[[nodiscard]] std::string render(std::span<const Diagnostic> diagnostics, std::string_view file,
                                 std::string_view text);

}  // namespace holdfast
