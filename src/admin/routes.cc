#include "holdfast/admin/routes.h"

#include <sys/stat.h>

#include <cstdlib>

#include "admin/backends.h"
#include "admin/json_response.h"
#include "holdfast/observe/events.h"
#include "holdfast/observe/metrics.h"

namespace holdfast::admin {
namespace {

constexpr const char* kPlaces =
    "/metrics, /healthz, /readyz, /api/v1/instance, /api/v1/events and /api/v1/backends";

std::string_view to_string(state::Phase phase) {
  switch (phase) {
    case state::Phase::starting:
      return "starting";
    case state::Phase::serving:
      return "serving";
    case state::Phase::stopping:
      return "stopping";
  }
  std::abort();
}

Response readiness(const state::SharedState& shared) {
  const auto phase = shared.current_phase();
  if (phase == state::Phase::serving) {
    return {.body = "ready\n"};
  }
  return {.status = 503, .body = std::string(to_string(phase)) + "\n"};
}

// By which file, not by which name: the file at the name may be another one by now.
Json program_file() {
  struct stat file {};
  if (::stat("/proc/self/exe", &file) != 0) {
    return nullptr;
  }
  return {{"device", file.st_dev}, {"inode", file.st_ino}};
}

Json last_upgrade(const state::UpgradeRecord& upgrade) {
  const auto failure = static_cast<state::UpgradeFailure>(
      std::min<std::uint32_t>(upgrade.failure.get(), state::kUpgradeFailures - 1));
  const auto result = static_cast<state::UpgradeResult>(
      std::min<std::uint32_t>(upgrade.result.get(), state::kUpgradeResults - 1));
  std::string reason;
  if (failure == state::UpgradeFailure::not_executed) {
    reason =
        std::string(to_string(failure)) + ": " + error_text(static_cast<int>(upgrade.detail.get()));
  } else if (failure != state::UpgradeFailure::none) {
    reason = to_string(failure);
  }
  return {{"number", upgrade.number.get()},
          {"result", upgrade.number.get() == 0 ? "none" : to_string(result)},
          {"reason", reason}};
}

Response instance(const Subject& subject) {
  const auto& supervision = subject.shared.supervision;
  return json({{"version", subject.version},
               {"phase", to_string(subject.shared.current_phase())},
               {"guardian_pid", supervision.guardian_pid.get()},
               {"worker_pid", supervision.worker_pid.get()},
               {"generation", supervision.generation.get()},
               {"connections", subject.shared.connections.get()},
               {"program", program_file()},
               {"last_upgrade", last_upgrade(supervision.upgrade)}});
}

// Why nobody here carries out what was asked for.
std::string not_now(const state::SharedState& shared) {
  const auto phase = shared.current_phase();
  if (phase == state::Phase::serving) {
    return "not now: another worker is taking over";
  }
  return "not now: holdfast is " + std::string(to_string(phase));
}

Response reload(const Subject& subject) {
  const auto result = subject.operations.reload();
  if (!result) {
    return json({{"result", "failed"},
                 {"changes", Json::array()},
                 {"messages", not_now(subject.shared) + "\n"}},
                503);
  }
  return json({{"result", result->succeeded ? "succeeded" : "failed"},
               {"changes", result->changes},
               {"messages", result->messages}},
              result->succeeded     ? 200
              : result->is_too_late ? 503
                                    : 422);
}

Response upgrade(const Operations& operations) {
  const auto begun = operations.upgrade();
  if (!begun) {
    return json({{"result", "refused"}, {"reason", begun.error().message}}, 422);
  }
  return json({{"result", "begun"}}, 202);
}

}  // namespace

Response route(const Request& request, const Subject& subject) {
  if (is_about_backends(request.path)) {
    return route_backends(request, subject);
  }
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool is_operation = request.path == "/api/v1/reload" || request.path == "/api/v1/upgrade";
  if (is_operation && !request.may_change) {
    return {.status = 403, .body = "only over the control socket (admin.socket)\n"};
  }
  if (is_operation ? request.method != "POST" : !reads) {
    return {.status = 405, .body = is_operation ? "only POST\n" : "only GET and HEAD\n"};
  }
  if (request.path == "/api/v1/reload") {
    return reload(subject);
  }
  if (request.path == "/api/v1/upgrade") {
    return upgrade(subject.operations);
  }
  if (request.path == "/metrics") {
    const std::lock_guard lock(subject.entries);
    return {.content_type = "text/plain; version=0.0.4; charset=utf-8",
            .body = observe::render_metrics(subject.shared, subject.version)};
  }
  if (request.path == "/healthz") {
    return {.body = "ok\n"};
  }
  if (request.path == "/readyz") {
    return readiness(subject.shared);
  }
  if (request.path == "/api/v1/instance") {
    return instance(subject);
  }
  if (request.path == "/api/v1/events") {
    return {.content_type = "application/json", .body = observe::render_events(subject.shared)};
  }
  if (request.path == "/") {
    return {.body = "holdfast " + std::string(subject.version) + ": " + kPlaces + "\n"};
  }
  return {.status = 404, .body = "not found; there are " + std::string(kPlaces) + "\n"};
}

}  // namespace holdfast::admin
