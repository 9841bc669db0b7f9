#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "holdfast/base/clock.h"
#include "holdfast/base/result.h"

namespace holdfast::cli {

// The body that a GET of the URL brings; anything but 200 is an error. Blocks, at most for `limit`.
[[nodiscard]] Result<std::string> http_get(const std::string& url, Duration limit);

// The value of one series in Prometheus' text format, named as it stands there:
// "holdfast_pool_failovers_total{pool=\"web\"}".
[[nodiscard]] std::optional<double> find_sample(std::string_view metrics, std::string_view series);

}  // namespace holdfast::cli
