#include "cli/rehearsal.h"

#include <sys/wait.h>

#include "cli/child_process.h"
#include "cli/line_reader.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kLimit = 5s;

std::string all_lines(Fd stream) {
  LineReader lines(std::move(stream));
  std::string text;
  while (const auto line = lines.next()) {
    text += (text.empty() ? "" : "; ") + *line;
  }
  return text;
}

}  // namespace

Result<std::string> rehearse_upgrade(const std::string& program, const state::Region& region) {
  const auto config = static_cast<int>(region.shared().config_fd.get());
  // What was changed at run time the region names; 0 is standard input, which it gets anyway.
  const auto changes = static_cast<int>(region.shared().changes_fd.get());
  std::vector<int> descriptors = {region.fd(), config};
  if (changes != 0) {
    descriptors.push_back(changes);
  }
  auto process = ChildProcess::start(
      {.arguments = {program, "rehearse", "--region", std::to_string(region.fd()), "--config",
                     std::to_string(config)},
       .output = ChildProcess::Stream::piped,
       .errors = ChildProcess::Stream::piped,
       .descriptors = descriptors});
  if (!process) {
    return tl::unexpected(process.error());
  }
  const auto status = (*process)->wait(kLimit);
  if (!status) {
    (*process)->send_signal(SIGKILL);
    return fail(program + " hangs: it didn't end within 5 s");
  }
  const auto errors = all_lines((*process)->take_errors());
  if (!WIFEXITED(*status) || WEXITSTATUS(*status) != 0) {
    return fail(program + " can't take over (" + describe_status(*status) + ")" +
                (errors.empty() ? "" : ": " + errors));
  }
  const auto version = all_lines((*process)->take_output());
  if (!version.starts_with("holdfast ")) {
    return fail(program + " is not holdfast: it says \"" + version.substr(0, 100) + "\"");
  }
  return version.substr(version.find(' ') + 1);
}

}  // namespace holdfast::cli
