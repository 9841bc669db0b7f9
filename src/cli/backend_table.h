#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace holdfast::cli {

// The backends as /api/v1/backends lists them, a line each under a line of headings, in columns as
// wide as what is in them. Times are in UTC. Pure.
[[nodiscard]] std::string backend_table(const nlohmann::json& backends);

}  // namespace holdfast::cli
