#include "cli/adopt.h"

#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "cli/commands.h"
#include "cli/control_client.h"
#include "cli/process.h"
#include "cli/upgrading.h"
#include "holdfast/admin/instance_lock.h"
#include "holdfast/service/notify.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;

constexpr Duration kLimit = 60s;
constexpr Duration kAnswerLimit = 5s;
constexpr int kLookEveryMs = 20;

std::string read_file(const std::string& path) {
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

bool is_own_program(const json& file) {
  struct stat own {};
  return ::stat("/proc/self/exe", &own) == 0 && file.is_object() &&
         file.value("device", json()) == json(own.st_dev) &&
         file.value("inode", json()) == json(own.st_ino);
}

void bring_up_to_date(const ControlClient& client, const std::string& socket_path,
                      const json& instance) {
  if (!is_own_program(instance.value("program", json()))) {
    if (const auto version = upgrade_instance(client); !version) {
      std::fprintf(stderr, "holdfast: error: upgrade %s\n", version.error().message.c_str());
    }
  }
  static_cast<void>(reload({.socket = socket_path}));  // says itself what is wrong
}

}  // namespace

bool is_started_by_systemd() {
  return std::getenv("NOTIFY_SOCKET") != nullptr;
}

Result<std::optional<Fd>> adopt_or_lock(const std::string& socket_path) {
  const ControlClient client(socket_path);
  bool is_up_to_date = false;
  for (const auto until = Clock::now() + kLimit; Clock::now() < until;) {
    auto lock = admin::lock_instance(socket_path);
    if (!lock || *lock) {
      return lock;
    }
    const auto instance = client.get("/api/v1/instance", kAnswerLimit);
    const auto guardian = instance && instance->body.value("phase", "") == "serving"
                              ? static_cast<pid_t>(instance->body.value("guardian_pid", 0))
                              : 0;
    // A guardian that has another parent than systemd yet would never be waited for by it.
    if (guardian > 0 && parent_of(guardian) == ::getppid()) {
      if (read_file("/proc/" + std::to_string(guardian) + "/cgroup") !=
          read_file("/proc/self/cgroup")) {
        return fail("the instance with the control socket " + socket_path +
                    " isn't this unit's: set another admin.socket");
      }
      if (is_up_to_date) {
        std::fprintf(stderr, "holdfast: the instance goes on, guardian %d\n", guardian);
        service::notify_adopted(guardian);
        return std::optional<Fd>();
      }
      bring_up_to_date(client, socket_path, instance->body);
      is_up_to_date = true;
      continue;
    }
    ::poll(nullptr, 0, kLookEveryMs);
  }
  return fail("the instance with the control socket " + socket_path +
              " neither serves nor ends; it was given 60 s");
}

}  // namespace holdfast::cli
