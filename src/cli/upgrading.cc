#include "cli/upgrading.h"

#include <poll.h>

#include <cerrno>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kBeginLimit = 20s;  // a look at the new program, which may hang, is in it
constexpr Duration kEndLimit = 30s;
constexpr Duration kAnswerLimit = 5s;
// The control socket listens all along, whoever serves: so long without it, and nobody is left.
constexpr Duration kGoneAfter = 1s;
constexpr int kLookEveryMs = 10;

std::string text(const nlohmann::json& body, const char* key) {
  return body.is_object() ? body.value(key, "") : "";
}

nlohmann::json last_upgrade(const nlohmann::json& instance) {
  return instance.is_object() ? instance.value("last_upgrade", nlohmann::json::object())
                              : nlohmann::json::object();
}

}  // namespace

Result<std::string> upgrade_instance(const ControlClient& client) {
  const auto before = client.get("/api/v1/instance", kAnswerLimit);
  if (!before) {
    return tl::unexpected(before.error());
  }
  const auto begun = client.post("/api/v1/upgrade", kBeginLimit);
  // The worker that is asked makes way at once, and may not get to its answer.
  if (!begun && begun.error().code != ECONNRESET) {
    return tl::unexpected(begun.error());
  }
  if (begun && begun->status != 202) {
    return fail("refused, nothing was changed: " + text(begun->body, "reason"));
  }
  auto listened = Clock::now();
  for (const auto until = Clock::now() + kEndLimit; Clock::now() < until;) {
    // An exchange that a worker's end cuts off is no answer.
    const auto instance = client.get("/api/v1/instance", kAnswerLimit);
    if (instance && text(instance->body, "phase") == "serving") {
      const auto last = last_upgrade(instance->body);
      if (last.value("number", 0U) > last_upgrade(before->body).value("number", 0U)) {
        if (text(last, "result") == "succeeded") {
          return text(instance->body, "version");
        }
        return fail("rolled back, the program that ran before goes on: " + text(last, "reason"));
      }
    }
    if (instance || instance.error().code != ECONNREFUSED) {
      listened = Clock::now();
    } else if (Clock::now() - listened > kGoneAfter) {
      return fail("the instance ended during the upgrade");
    }
    ::poll(nullptr, 0, kLookEveryMs);
  }
  return fail("no word from the instance for 30 s after the upgrade began");
}

}  // namespace holdfast::cli
