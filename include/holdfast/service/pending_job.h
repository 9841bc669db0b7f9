#pragma once

#include <sys/types.h>

#include <string>

#include "holdfast/base/result.h"

namespace holdfast::service {

// What systemd is about to do with the unit that a process belongs to: "restart", "stop", ... as
// the type of its pending job is called (org.freedesktop.systemd1(5)); "" when there is none. Asked
// over systemd's private socket: for root only, and without a message bus.
[[nodiscard]] Result<std::string> pending_job(pid_t process);

}  // namespace holdfast::service
