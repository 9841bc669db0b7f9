#include "admin/routes.h"

#include <cstdlib>

#include "holdfast/observe/metrics.h"

namespace holdfast::admin {
namespace {

Response readiness(const state::SharedState& shared) {
  using state::Phase;
  switch (shared.current_phase()) {
    case Phase::starting:
      return {.status = 503, .body = "starting\n"};
    case Phase::serving:
      return {.body = "ready\n"};
    case Phase::stopping:
      return {.status = 503, .body = "stopping\n"};
  }
  std::abort();
}

}  // namespace

Response route(std::string_view method, std::string_view path, const state::SharedState& shared,
               std::string_view version) {
  if (method != "GET" && method != "HEAD") {
    return {.status = 405, .body = "only GET and HEAD\n"};
  }
  if (path == "/metrics") {
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = observe::render_metrics(shared, version)};
  }
  if (path == "/healthz") {
    return {.body = "ok\n"};
  }
  if (path == "/readyz") {
    return readiness(shared);
  }
  if (path == "/") {
    return {.body = "holdfast " + std::string(version) + ": /metrics /healthz /readyz\n"};
  }
  return {.status = 404, .body = "not found; there are /metrics, /healthz and /readyz\n"};
}

}  // namespace holdfast::admin
