#include "support/config_text.h"

#include "holdfast/config/load.h"

namespace holdfast::testing {
namespace {

std::string continued(const std::string& fragment) {
  return fragment.empty() ? "" : ", " + fragment;
}

std::string message_of(const Diagnostic& diagnostic) {
  const bool error = diagnostic.severity == Diagnostic::Severity::error;
  return (error ? "error: " : "warning: ") + diagnostic.message +
         (diagnostic.help.empty() ? "" : " | " + diagnostic.help);
}

}  // namespace

std::string config_with(const Fragments& fragments) {
  return (fragments.top.empty() ? "" : fragments.top + "\n") +
         "listeners: [{ name: web, bind: \"127.0.0.1:8080\", pool: web" +
         continued(fragments.listener) +
         " }]\n"
         "pools: [{ name: web, backends: [{ name: web-1, address: \"127.0.0.1:9001\"" +
         continued(fragments.backend) + " }]" + continued(fragments.pool) + " }]\n";
}

std::vector<std::string> complaints_about(std::string_view text) {
  std::vector<std::string> complaints;
  for (const auto& diagnostic : load_config(text).diagnostics) {
    complaints.push_back(std::to_string(diagnostic.mark.line) + ":" +
                         std::to_string(diagnostic.mark.column) + ": " + message_of(diagnostic));
  }
  return complaints;
}

std::vector<std::string> messages_about(std::string_view text) {
  std::vector<std::string> messages;
  for (const auto& diagnostic : load_config(text).diagnostics) {
    messages.push_back(message_of(diagnostic));
  }
  return messages;
}

}  // namespace holdfast::testing
