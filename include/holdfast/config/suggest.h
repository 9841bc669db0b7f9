#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast {

// "did you mean 'interval'?" when one of the known words is near the given one, else "one of a, b,
// c". Near is at most a third of its letters changed, added, left out or swapped.
[[nodiscard]] std::string suggest(std::string_view given, std::span<const std::string_view> known);

}  // namespace holdfast
