// Any line as an agent's: it is refused, or what is understood stays within its limits. What
// reaches a log is printable.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "health/agent_line.h"

namespace {

void require_printable(const std::string& text) {
  if (text.size() > 200 ||
      !std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; })) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view line(reinterpret_cast<const char*>(data), size);
  const auto report = holdfast::health::parse_agent_line(line);
  if (!report) {
    require_printable(report.error().message);
    return 0;
  }
  require_printable(report->reason);
  if (report->weight_percent.value_or(0) > holdfast::health::kMostAgentPercent) {
    std::abort();
  }
  return 0;
}
