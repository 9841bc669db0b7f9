#include "cli/backend_operations.h"

#include <poll.h>
#include <pwd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "cli/backend_table.h"
#include "cli/commands.h"
#include "cli/control_client.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using Json = nlohmann::json;

constexpr Duration kLimit = 1min;  // name servers may take their time
constexpr int kLookEveryMs = 200;

// Who is at the keyboard, also behind sudo(8).
std::string author() {
  for (const char* variable : {"SUDO_USER", "USER"}) {
    if (const char* name = std::getenv(variable); name != nullptr && *name != '\0') {
      return name;
    }
  }
  const auto* user = ::getpwuid(::getuid());
  return user != nullptr ? user->pw_name : "uid" + std::to_string(::getuid());
}

int complain(const Error& error) {
  std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
  return error.code == ECONNREFUSED ? kNobody : kFailed;
}

std::string reason_of(const ControlClient::Answer& answer) {
  return answer.body.is_object() ? answer.body.value("reason", "it answers nothing useful")
                                 : "it answers nothing useful";
}

std::string path_to(const std::string& target) {
  return "/api/v1/backends/" + target;
}

int change(const OperationOptions& options, const std::string& target, const std::string& verb,
           Json body) {
  const ControlClient client(options.socket);
  body["by"] = author();
  // What a shell hands over may be no UTF-8.
  const auto text = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  const auto answer = ControlClient::ask_again(
      [&] { return client.post(path_to(target) + "/" + verb, kLimit, text); });
  if (!answer) {
    return complain(answer.error());
  }
  if (answer->status != 200) {
    return complain({reason_of(*answer)});
  }
  const auto changes = answer->body.value("changes", Json::array());
  for (const auto& line : changes) {
    std::printf("%s\n", line.get<std::string>().c_str());
  }
  if (changes.empty()) {
    std::printf("done already, nothing differs\n");
  }
  std::fflush(stdout);  // the wait that may follow is long
  return kFine;
}

// Until the backend has no connections, nobody gives it new ones, or the time is over.
int wait_until_empty(const OperationOptions& options, Duration limit) {
  const ControlClient client(options.socket);
  const auto until = Clock::now() + limit;
  for (;;) {
    const auto answer =
        ControlClient::ask_again([&] { return client.get(path_to(options.target), kLimit); });
    if (!answer) {
      return complain(answer.error());
    }
    // It was there when it was drained: removed meanwhile, it is gone with its last connection.
    const bool is_gone = answer->status == 404;
    if (answer->status != 200 && !is_gone) {
      return complain({reason_of(*answer)});
    }
    const auto connections = is_gone ? 0U : answer->body.value("connections", 0U);
    if (connections == 0) {
      std::printf("%s has no connections\n", options.target.c_str());
      return kFine;
    }
    if (answer->body.value("state", "") == "ready") {
      return complain(
          {options.target + " is ready again, set by " +
           (answer->body["set_by"].is_string() ? answer->body["set_by"].get<std::string>()
                                               : "somebody") +
           ", with " + std::to_string(connections) + " connections"});
    }
    const auto left = until - Clock::now();
    if (left <= Duration::zero()) {
      return complain({options.target + " still has " + std::to_string(connections) +
                       (connections == 1 ? " connection" : " connections")});
    }
    const auto pause = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    ::poll(nullptr, 0, static_cast<int>(std::min<std::int64_t>(pause, kLookEveryMs)));
  }
}

}  // namespace

int show_backends(const OperationOptions& options) {
  const ControlClient client(options.socket);
  const auto answer =
      ControlClient::ask_again([&] { return client.get("/api/v1/backends", kLimit); });
  if (!answer) {
    return complain(answer.error());
  }
  if (answer->status != 200) {
    return complain({reason_of(*answer)});
  }
  const auto text = options.output == "json"
                        ? answer->body.dump(2) + "\n"
                        : backend_table(answer->body.value("backends", Json::array()));
  std::fputs(text.c_str(), stdout);
  return kFine;
}

int drain_backend(const std::string& verb, const OperationOptions& options) {
  Json body = Json::object();
  if (options.close_after_ms) {
    body["close_after_ms"] = *options.close_after_ms;
  }
  if (options.spread_ms) {
    body["spread_ms"] = *options.spread_ms;
  }
  const int done = change(options, options.target, verb, body);
  return done == kFine && options.wait_ms
             ? wait_until_empty(options, std::chrono::milliseconds(*options.wait_ms))
             : done;
}

int ready_backend(const OperationOptions& options) {
  return change(options, options.target, "ready", Json::object());
}

int weigh_backend(const OperationOptions& options) {
  return change(options, options.target, "weight", {{"weight", options.weight}});
}

int add_backend(const OperationOptions& options) {
  return change(options, options.pool + "/" + options.name, "add",
                {{"address", options.address},
                 {"weight", options.weight},
                 {"tier", options.tier},
                 {"max_connections", options.max_connections}});
}

int remove_backend(const OperationOptions& options) {
  return change(options, options.target, "remove", Json::object());
}

}  // namespace holdfast::cli
