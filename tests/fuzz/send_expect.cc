// Any answer, in any parts, to a check that expects any bytes: whether it passes depends on nothing
// but the bytes within the limit. The input is a byte for the limit, one for the size of a part,
// one for the length of what is expected, that, and the answer.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "health/exchange.h"

namespace {

using holdfast::health::Exchange;

bool passes(const holdfast::HealthConfig& config, std::string_view answer, std::size_t part) {
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
  if (size < 3) {
    return 0;
  }
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  holdfast::HealthConfig config;
  config.type = holdfast::CheckType::send_expect;
  config.limit = data[0] + 1U;
  config.expect = input.substr(3, data[2]);
  const auto answer = input.substr(3 + config.expect.size());
  if (config.expect.empty() || config.expect.size() > config.limit) {
    return 0;  // no configuration is like that
  }
  const bool is_there =
      answer.substr(0, config.limit).find(config.expect) != std::string_view::npos;
  if (passes(config, answer, data[1] + 1U) != is_there ||
      passes(config, answer, answer.size() + 1) != is_there) {
    std::abort();
  }
  return 0;
}
