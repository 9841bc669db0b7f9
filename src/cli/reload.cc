#include <cerrno>
#include <cstdio>

#include "cli/commands.h"
#include "cli/control_client.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLimit = 2min;  // name servers may take their time

}  // namespace

int reload(const ControlOptions& options) {
  const ControlClient client(options.socket);
  const auto answer =
      ControlClient::ask_again([&] { return client.post("/api/v1/reload", kLimit); });
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
