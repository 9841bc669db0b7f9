#pragma once

#include <optional>
#include <string_view>

#include "holdfast/base/clock.h"

namespace holdfast::guardian {

// What systemd is told about this process (sd_notify(3)). Any thread may call these, as long as
// none changes the environment. Without NOTIFY_SOCKET, that is not under systemd, they do nothing;
// a message that cannot be sent is lost, since there is nobody else to tell.

// Connections are being accepted. `status` is what `systemctl status` shows.
void notify_ready(std::string_view status);

// No new connections from now on.
void notify_stopping(std::string_view status);

// A new line for `systemctl status`.
void notify_status(std::string_view status);

// Still alive; to be said once per watchdog_interval().
void notify_watchdog();

// Half of the unit's WatchdogSec=, which leaves one call to be late (sd_watchdog_enabled(3)).
// Nothing when systemd does not watch this process.
[[nodiscard]] std::optional<Duration> watchdog_interval();

}  // namespace holdfast::guardian
