// Any answer to an HTTP check: whether it passes is the same however it is cut into parts, the
// first of which is as long as the first byte says.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "health/exchange.h"
#include "health/http_status.h"

namespace {

using holdfast::health::Exchange;

bool passes(std::string_view answer, std::size_t part) {
  holdfast::HealthConfig config;
  config.type = holdfast::CheckType::http;
  Exchange exchange(config, "host");
  for (std::size_t at = 0; at < answer.size(); at += part) {
    if (const auto judged = exchange.take(answer.substr(at, part))) {
      return judged->passed;
    }
  }
  return exchange.end().passed;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const std::string_view answer(reinterpret_cast<const char*>(data + 1), size - 1);
  static_cast<void>(holdfast::health::parse_http_status(answer));
  if (passes(answer, data[0] + 1U) != passes(answer, answer.size() + 1)) {
    std::abort();
  }
  return 0;
}
