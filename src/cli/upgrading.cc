#include "cli/upgrading.h"

#include <poll.h>

#include <cerrno>
#include <optional>
#include <utility>

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kBeginLimit = 20s;  // a look at the new program, which may hang, is in it
constexpr Duration kEndLimit = 30s;
constexpr Duration kAnswerLimit = 5s;
// The control socket listens all along, whoever serves: so long without it, and nobody is left.
constexpr Duration kGoneAfter = 1s;
constexpr int kLookEveryMs = 10;
constexpr int kLooks = 10;
// A guardian that was asked and lives begins as soon as a worker serves.
constexpr Duration kForgottenAfter = 1s;
constexpr int kAttempts = 5;

std::string text(const nlohmann::json& body, const char* key) {
  return body.is_object() ? body.value(key, "") : "";
}

nlohmann::json last_upgrade(const nlohmann::json& instance) {
  return instance.is_object() ? instance.value("last_upgrade", nlohmann::json::object())
                              : nlohmann::json::object();
}

struct Instance {
  nlohmann::json body;

  [[nodiscard]] bool serves() const { return text(body, "phase") == "serving"; }
  [[nodiscard]] bool stops() const { return text(body, "phase") == "stopping"; }
  [[nodiscard]] unsigned generation() const { return body.value("generation", 0U); }
  [[nodiscard]] unsigned upgrades() const { return last_upgrade(body).value("number", 0U); }
};

// An exchange that a worker's end cuts off is no answer: its successor gives one.
Result<Instance> look_at(const ControlClient& client) {
  auto answer = client.get("/api/v1/instance", kAnswerLimit);
  for (int again = 0; !answer && answer.error().code == ECONNRESET && again < kLooks; ++again) {
    ::poll(nullptr, 0, kLookEveryMs);
    answer = client.get("/api/v1/instance", kAnswerLimit);
  }
  return answer.map([](const ControlClient::Answer& got) { return Instance{got.body}; });
}

Result<void> begin(const ControlClient& client) {
  const auto begun = client.post("/api/v1/upgrade", kBeginLimit);
  // The worker that is asked makes way at once, and may not get to its answer.
  if (!begun && begun.error().code != ECONNRESET) {
    return tl::unexpected(begun.error());
  }
  if (begun && begun->status != 202) {
    return fail("refused, nothing was changed: " + text(begun->body, "reason"));
  }
  return {};
}

// The instance after the upgrade has ended. When whoever was asked for it died, it isn't going to
// be: then nothing, after a while.
Result<std::optional<Instance>> wait_for_end(const ControlClient& client, const Instance& before) {
  auto listened = Clock::now();
  std::optional<TimePoint> other_worker_since;
  for (const auto until = Clock::now() + kEndLimit; Clock::now() < until;) {
    auto instance = look_at(client);
    const auto now = Clock::now();
    if (instance || instance.error().code != ECONNREFUSED) {
      listened = now;
    } else if (now - listened > kGoneAfter) {
      return fail("the instance ended during the upgrade");
    }
    if (instance && instance->stops()) {  // which begins no upgrade, and may take long
      return fail(instance->upgrades() > before.upgrades()
                      ? "the instance ended during the upgrade: it is stopping"
                      : "not upgraded: the instance is stopping");
    }
    if (instance && instance->serves()) {
      if (instance->upgrades() > before.upgrades()) {
        return std::move(*instance);
      }
      if (instance->generation() != before.generation()) {
        other_worker_since = other_worker_since.value_or(now);
        if (now - *other_worker_since > kForgottenAfter) {
          return std::optional<Instance>();
        }
      }
    }
    ::poll(nullptr, 0, kLookEveryMs);
  }
  return fail("no word from the instance for 30 s after the upgrade began");
}

}  // namespace

Result<std::string> upgrade_instance(const ControlClient& client) {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto before = look_at(client);
    if (!before) {
      return tl::unexpected(before.error());
    }
    if (auto begun = begin(client); !begun) {
      return tl::unexpected(begun.error());
    }
    const auto after = wait_for_end(client, *before);
    if (!after) {
      return tl::unexpected(after.error());
    }
    if (*after) {
      const auto last = last_upgrade((*after)->body);
      if (text(last, "result") == "succeeded") {
        return text((*after)->body, "version");
      }
      return fail("rolled back, the program that ran before goes on: " + text(last, "reason"));
    }
  }
  return fail("given up: the instance's processes died whenever an upgrade began");
}

}  // namespace holdfast::cli
