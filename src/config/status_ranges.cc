#include "config/status_ranges.h"

#include <charconv>
#include <optional>

namespace holdfast {
namespace {

constexpr unsigned kLeast = 100;  // RFC 9110, 15
constexpr unsigned kMost = 599;

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string_view::npos
             ? std::string_view()
             : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::optional<unsigned> parse_status(std::string_view text) {
  unsigned status = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), status);
  if (error != std::errc() || end != text.data() + text.size() || status < kLeast ||
      status > kMost) {
    return std::nullopt;
  }
  return status;
}

}  // namespace

Result<std::vector<StatusRange>> parse_status_ranges(std::string_view text) {
  std::vector<StatusRange> ranges;
  for (std::size_t at = 0; at <= text.size();) {
    const auto comma = std::min(text.find(',', at), text.size());
    const auto part = trimmed(text.substr(at, comma - at));
    const auto dash = part.find('-');
    const auto first = parse_status(trimmed(part.substr(0, dash)));
    const auto last =
        dash == std::string_view::npos ? first : parse_status(trimmed(part.substr(dash + 1)));
    if (!first || !last) {
      return fail("'" + std::string(part) +
                  "' is not a status or a range of them, from 100 to 599; write as in 200, "
                  "200-399 or 200,204,300-399");
    }
    if (*first > *last) {
      return fail("'" + std::string(part) + "' ends before it begins; write " +
                  std::to_string(*last) + "-" + std::to_string(*first));
    }
    ranges.push_back({*first, *last});
    at = comma + 1;
  }
  return ranges;
}

std::string format_status_ranges(std::span<const StatusRange> ranges) {
  std::string text;
  for (const auto& range : ranges) {
    text += (text.empty() ? "" : ",") + std::to_string(range.first);
    text += range.last == range.first ? "" : "-" + std::to_string(range.last);
  }
  return text;
}

}  // namespace holdfast
