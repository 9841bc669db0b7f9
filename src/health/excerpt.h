#pragma once

#include <string>
#include <string_view>

namespace holdfast::health {

// The beginning of what a backend said, fit for a log line and an event: at most 60 characters,
// printable ASCII, with '.' for everything else. Pure.
[[nodiscard]] std::string excerpt(std::string_view bytes);

}  // namespace holdfast::health
