#pragma once

#include <string>

#include "cli/control_client.h"

namespace holdfast::cli {

// Has a running instance go on as what its program file is now, and waits for the end of it. Its
// version then. The error says why it is as before; its code is ECONNREFUSED when nobody is there.
[[nodiscard]] Result<std::string> upgrade_instance(const ControlClient& client);

}  // namespace holdfast::cli
