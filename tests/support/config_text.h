#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace holdfast::testing {

// Keys put into a sound configuration of one listener and one pool with one backend, each as it
// stands in a flow mapping: "rise: 0". What belongs to the top comes first, on lines of its own.
struct Fragments {
  std::string top = {};
  std::string listener = {};
  std::string pool = {};
  std::string backend = {};
};
[[nodiscard]] std::string config_with(const Fragments& fragments);

// All that load_config has against a text, as "line:column: error: message", then " | help".
[[nodiscard]] std::vector<std::string> complaints_about(std::string_view text);
// The same without the places.
[[nodiscard]] std::vector<std::string> messages_about(std::string_view text);

}  // namespace holdfast::testing
