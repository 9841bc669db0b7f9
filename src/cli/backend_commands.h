#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace holdfast::cli {

// Adds the subcommands about backends of a running instance: backends, drain, ready, maint, weight,
// add and remove. The one that the command line names puts its work into `chosen`, which outlives
// the application.
void add_backend_commands(CLI::App& app, std::function<int()>& chosen);

}  // namespace holdfast::cli
