#pragma once

#include <nlohmann/json.hpp>

#include "holdfast/admin/routes.h"

namespace holdfast::admin {

// Keeps the order that is written.
using Json = nlohmann::ordered_json;

[[nodiscard]] inline Response json(const Json& body, unsigned status = 200) {
  // Text from outside, such as a line of a configuration file, may be no UTF-8.
  return {.status = status,
          .content_type = "application/json",
          .body = body.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"};
}

}  // namespace holdfast::admin
