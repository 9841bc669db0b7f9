#include <poll.h>

#include <cerrno>
#include <cstdio>

#include "cli/commands.h"
#include "cli/control_client.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLimit = 2min;  // name servers may take their time
constexpr int kAttempts = 5;
constexpr int kPauseMs = 200;
constexpr long kNotNow = 503;  // a worker that is starting, stopping, or making way for an upgrade

// Asking twice comes to the same: a worker that ends meanwhile is followed by one that answers.
Result<ControlClient::Answer> ask(const ControlClient& client) {
  for (int attempt = 1;; ++attempt) {
    auto answer = client.post("/api/v1/reload", kLimit);
    const bool may_ask_again =
        answer ? answer->status == kNotNow : answer.error().code == ECONNRESET;
    if (!may_ask_again || attempt == kAttempts) {
      return answer;
    }
    ::poll(nullptr, 0, kPauseMs);
  }
}

}  // namespace

int reload(const ControlOptions& options) {
  const auto answer = ask(ControlClient(options.socket));
  if (!answer) {
    std::fprintf(stderr, "holdfast: %s\n", answer.error().message.c_str());
    return answer.error().code == ECONNREFUSED ? kNobody : kFailed;
  }
  const auto& body = answer->body;
  std::fputs(body.value("messages", "").c_str(), stderr);
  if (answer->status != 200) {
    std::fputs("holdfast: not reloaded, nothing was changed\n", stderr);
    return kFailed;
  }
  const auto changes = body.value("changes", nlohmann::json::array());
  for (const auto& change : changes) {
    std::printf("%s\n", change.get<std::string>().c_str());
  }
  if (changes.empty()) {
    std::printf("reloaded, nothing differs\n");
  }
  return kFine;
}

}  // namespace holdfast::cli
