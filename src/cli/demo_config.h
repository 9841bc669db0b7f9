#pragma once

#include <span>
#include <string>

#include "cli/instance_process.h"

namespace holdfast::cli {

// The names that the demo's configuration gives and its log lines and metrics repeat.
inline constexpr const char* kDemoPool = "web";

// What the demo's balancer runs, as one would write it into a file.
[[nodiscard]] std::string demo_configuration(const std::string& listen,
                                             const std::string& control_socket,
                                             std::span<const InstanceProcess> instances);

}  // namespace holdfast::cli
