#pragma once

#include <string>
#include <string_view>

#include "holdfast/base/result.h"

namespace holdfast {

// Bytes as text: \r \n \t \0 \\ and \xNN, everything else as it is. Pure.

// The error names the escape that is none.
[[nodiscard]] Result<std::string> unescape(std::string_view text);

// Printable ASCII throughout; unescape() takes it back.
[[nodiscard]] std::string escape(std::string_view bytes);

}  // namespace holdfast
