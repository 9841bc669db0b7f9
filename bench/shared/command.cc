#include "shared/command.h"

#include "cli/child_process.h"

namespace holdfast::bench {
namespace {

constexpr auto kLimit = std::chrono::seconds(60);

}  // namespace

Result<void> run_command(std::vector<std::string> arguments) {
  const auto words = arguments[0] + " " + arguments[1];
  auto process = cli::ChildProcess::start(
      {.arguments = std::move(arguments), .errors = cli::ChildProcess::Stream::inherited});
  if (!process) {
    return tl::unexpected(process.error());
  }
  const auto status = (*process)->wait(kLimit);
  if (status != 0) {
    return fail(words + ": " + (status ? cli::describe_status(*status) : "takes too long"));
  }
  return {};
}

Result<void> run_script(const std::string& lines) {
  return run_command({"/bin/sh", "-c", lines});
}

}  // namespace holdfast::bench
