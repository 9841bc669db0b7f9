#include "cli/demo_config.h"

namespace holdfast::cli {

std::string demo_configuration(const std::string& listen, const std::string& control_socket,
                               std::span<const InstanceProcess> instances) {
  const std::string pool = kDemoPool;
  // The default control socket may be that of an instance that is there for good.
  std::string text = "admin: { http: \"127.0.0.1:0\", socket: \"" + control_socket + "\" }\n";
  text += "log: { connections: none }\n";
  text += "listeners:\n";
  text += "  - { name: " + pool + ", bind: \"" + listen + "\", pool: " + pool + " }\n";
  text += "pools:\n";
  text += "  - name: " + pool + "\n";
  text += "    connect: { timeout: 1s, attempts: 3 }\n";
  // Ten times the default pace: a demo is short.
  text += "    health: { type: tcp, interval: 200ms, timeout: 200ms, rise: 2, fall: 2 }\n";
  text += "    backends:\n";
  for (const auto& instance : instances) {
    text += "      - { name: " + instance.name() + ", address: \"" + instance.address() + "\" }\n";
  }
  return text;
}

}  // namespace holdfast::cli
