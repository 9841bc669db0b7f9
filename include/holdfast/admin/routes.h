#pragma once

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "holdfast/state/shared_state.h"
#include "holdfast/worker/worker.h"

namespace holdfast::admin {

struct Request {
  std::string_view method;
  std::string_view path;
  bool may_change = false;  // it came over the control socket
  std::string_view body = {};
};

struct Response {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body = {};
};

// What a request may have done. All block the thread that asks.
struct Operations {
  // Nothing: the worker is ending.
  std::function<std::optional<worker::ReloadResult>()> reload;
  // Begins one, of which the instance's last_upgrade tells when it is over. The error says why not.
  std::function<Result<void>()> upgrade;
  // Nothing: the worker is ending.
  std::function<std::optional<worker::ChangeResult>(const worker::BackendChange&)> change = {};
};

// What the admin interface answers from. All outlives the servers.
struct Subject {
  const state::SharedState& shared;
  std::string_view version;
  std::mutex& entries;  // held while names are read
  Operations operations;
};

// What the admin interface answers; the server leaves the body out of an answer to HEAD.
//   GET  /metrics            for Prometheus
//   GET  /healthz            200 as long as anybody answers
//   GET  /readyz             200 while new connections are accepted, 503 before and after
//   GET  /api/v1/instance    which processes serve, of which version and program file (JSON)
//   GET  /api/v1/events      the last 512 things that happened, the newest last (JSON)
//   GET  /api/v1/backends    all backends, or one, see admin/backends.h (JSON)
// and over the control socket only:
//   POST /api/v1/reload      200 or 422, with what changed or what is wrong (JSON)
//   POST /api/v1/upgrade     202, or 422 with the reason (JSON)
//   POST /api/v1/backends/…  what an operator does to one (JSON)
[[nodiscard]] Response route(const Request& request, const Subject& subject);

}  // namespace holdfast::admin
