#include <cerrno>
#include <csignal>
#include <cstdio>

#include "cli/commands.h"
#include "holdfast/service/pending_job.h"

namespace holdfast::cli {

// A stop goes its usual way: systemd sends SIGTERM when this has ended.
int leave(const LeaveOptions& options) {
  const auto job = service::pending_job(options.main_pid);
  if (!job) {
    std::fprintf(stderr, "holdfast: %s; taken for a stop\n", job.error().message.c_str());
    return kFailed;
  }
  if (*job != "restart") {
    return kFine;
  }
  if (::kill(options.main_pid, SIGUSR1) != 0) {
    std::fprintf(stderr, "holdfast: cannot tell the guardian: %s\n", error_text(errno).c_str());
    return kFailed;
  }
  return kFine;
}

}  // namespace holdfast::cli
