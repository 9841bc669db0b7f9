#pragma once

#include <CLI/CLI.hpp>
#include <string>

namespace holdfast::cli {

// What is wrong with the command line, and where help is. For CLI::App::failure_message.
[[nodiscard]] std::string usage_message(const CLI::App* app, const CLI::Error& error);

}  // namespace holdfast::cli
