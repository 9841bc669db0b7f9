#pragma once

#include <string>
#include <string_view>

#include "holdfast/state/shared_state.h"

namespace holdfast::admin {

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// What the admin interface answers; the server leaves the body out of an answer to HEAD.
//   /metrics  for Prometheus
//   /healthz  200 as long as anybody answers
//   /readyz   200 while new connections are accepted, 503 before and after
[[nodiscard]] Response route(std::string_view method, std::string_view path,
                             const state::SharedState& shared, std::string_view version);

}  // namespace holdfast::admin
