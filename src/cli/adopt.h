#pragma once

#include <optional>
#include <string>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"

namespace holdfast::cli {

// Whether systemd waits to be told that this process is ready (sd_notify(3)).
[[nodiscard]] bool is_started_by_systemd();

// For a start by systemd that finds the instance of its unit alive: waits until a guardian and a
// worker serve, has them go on as this program, if theirs is another one, and by the configuration
// file as it is now, and tells systemd that the guardian is the unit's main process. Nothing then:
// this process is done. What is no good, be it the program or the file, is said and changes
// nothing.
//
// The lock, when the instance has ended meanwhile: this process is to be the next one.
[[nodiscard]] Result<std::optional<Fd>> adopt_or_lock(const std::string& socket_path);

}  // namespace holdfast::cli
