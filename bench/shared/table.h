#pragma once

#include <string>
#include <vector>

namespace holdfast::bench {

[[nodiscard]] std::string number(double value, int decimals);

// To the right, in as many columns as the heading takes.
[[nodiscard]] std::string pad(const std::string& text, std::size_t width);

// The first two lines of a Markdown table whose columns but the first hold numbers.
[[nodiscard]] std::string table_head(const std::string& first,
                                     const std::vector<std::string>& others);

// "Measured on ... by `program`: this machine", a sentence.
[[nodiscard]] std::string measured_by(const std::string& program);

// The lower one of the middle two of an even count, so that every number shown was measured.
[[nodiscard]] double median(std::vector<double> values);

}  // namespace holdfast::bench
