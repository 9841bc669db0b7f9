#include "cli/configuration.h"

#include <cstdio>

#include "holdfast/config/load.h"

namespace holdfast::cli {

std::optional<Config> judge_configuration(const std::string& text, const std::string& file) {
  auto loaded = load_new_config(text);
  std::fputs(render(loaded.diagnostics, file, text).c_str(), stderr);
  return std::move(loaded.config);
}

std::optional<Config> load_configuration(const std::string& file) {
  const auto text = read_config_file(file);
  if (!text) {
    std::fprintf(stderr, "holdfast: %s\n", text.error().message.c_str());
    return std::nullopt;
  }
  return judge_configuration(*text, file);
}

}  // namespace holdfast::cli
