#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/config/config.h"
#include "holdfast/config/diagnostic.h"

namespace holdfast {

// What the rules of validate() have in common. `length`: of what is wrong, in characters.
void error(Diagnostics& diagnostics, Mark mark, std::string message, std::string help = {},
           std::size_t length = 1);
void warning(Diagnostics& diagnostics, Mark mark, std::string message, std::string help = {});

// "1 backend", "2 backends".
[[nodiscard]] std::string count_of(std::size_t number, const std::string& thing);

void check_name(const std::string& name, Mark mark, Diagnostics& diagnostics);

// Names of one kind: well-formed, and each only once.
template <class Named>
void check_names(const std::vector<Named>& all, std::string_view kind, Diagnostics& diagnostics) {
  std::map<std::string, Mark> seen;
  for (const auto& one : all) {
    check_name(one.name, one.name_mark, diagnostics);
    const auto [place, is_new] = seen.emplace(one.name, one.name_mark);
    if (!is_new && !one.name.empty()) {
      error(diagnostics, one.name_mark,
            std::string(kind) + " '" + one.name + "' exists already, in line " +
                std::to_string(place->second.line),
            "give it another name", one.name.size());
    }
  }
}

}  // namespace holdfast
