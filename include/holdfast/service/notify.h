#pragma once

#include <sys/types.h>

#include <string_view>

namespace holdfast::service {

// What systemd is told about this process (sd_notify(3)). Any thread may call these, as long as
// none changes the environment. Without NOTIFY_SOCKET, that is not under systemd, they do nothing;
// a message that cannot be sent is lost, since there is nobody else to tell.

// Connections are being accepted. `status` is what `systemctl status` shows.
void notify_ready(std::string_view status);

// Which process systemd is to supervise from now on: one whose parent is systemd, or it would be
// taken for a stranger that can't be waited for.
void notify_main_process(pid_t pid);

// The same, and that it serves: for a start that finds the instance alive.
void notify_adopted(pid_t pid);

// No new connections from now on.
void notify_stopping(std::string_view status);

// A new line for `systemctl status`.
void notify_status(std::string_view status);

// Still alive; to be said at least twice per WatchdogSec= of the unit, so that one may be late.
void notify_watchdog();

}  // namespace holdfast::service
