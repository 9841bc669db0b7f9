#include "cli/usage.h"

#include <string_view>
#include <vector>

#include "holdfast/config/suggest.h"

namespace holdfast::cli {
namespace {

// CLI11 misses a subcommand before it minds an argument that is none, and then doesn't name it.
std::string complaint_about(const std::string& word, const CLI::App& app) {
  if (word.starts_with('-')) {
    return "unknown option '" + word + "'";
  }
  // Those without a group aren't for people.
  const auto commands =
      app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
  std::vector<std::string> names;
  names.reserve(commands.size());
  for (const auto* command : commands) {
    names.push_back(command->get_name());
  }
  const std::vector<std::string_view> known(names.begin(), names.end());
  return "unknown subcommand '" + word + "': " + suggest(word, known);
}

}  // namespace

std::string usage_message(const CLI::App* app, const CLI::Error& error) {
  const auto chosen = app->get_subcommands();
  const auto extra = app->remaining();
  const std::string wrong =
      chosen.empty() && !extra.empty() ? complaint_about(extra.front(), *app) : error.what();
  const std::string help = chosen.empty() ? "" : chosen.front()->get_name() + " ";
  return "holdfast: " + wrong + "\nRun holdfast " + help + "--help for more information.\n";
}

}  // namespace holdfast::cli
