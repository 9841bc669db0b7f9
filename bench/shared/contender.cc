#include "shared/contender.h"

#include <unistd.h>

#include <cstdio>

#include "cli/line_reader.h"
#include "shared/configurations.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;
using cli::ChildProcess;
using Command = ChildProcess::Command;
using std::filesystem::path;

Command with_messages(std::vector<std::string> arguments) {
  return {.arguments = std::move(arguments), .errors = ChildProcess::Stream::piped};
}

Command run_holdfast(const std::string& program, const path& configuration, Site::Mode) {
  return with_messages({program, "run", "-c", configuration});
}

// A master stays in the foreground unless told to be a daemon.
Command run_haproxy(const std::string& program, const path& configuration, Site::Mode mode) {
  return with_messages({program, mode == Site::Mode::service ? "-W" : "-db", "-f", configuration});
}

// Its workers leave when the master tells them to, and would outlive a master that is killed.
Command run_nginx(const std::string& program, const path& configuration, Site::Mode) {
  return with_messages({program, "-e", "stderr", "-c", configuration});
}

// The first line a program writes when asked for its version.
std::optional<std::string> ask_version(const std::string& program, const std::string& option) {
  auto child = ChildProcess::start({.arguments = {program, option},
                                    .output = ChildProcess::Stream::piped,
                                    .errors = ChildProcess::Stream::piped});
  if (!child) {
    return std::nullopt;
  }
  cli::LineReader output((*child)->take_output());
  cli::LineReader errors((*child)->take_errors());
  auto line = output.wait(5s);
  return line ? line : errors.wait(5s);
}

void add_if_installed(std::vector<Contender>& contenders, Contender contender,
                      const std::string& version_option, const char* needed_file = nullptr) {
  const bool complete = needed_file == nullptr || ::access(needed_file, R_OK) == 0;
  const auto version = ask_version(contender.program, version_option);
  if (!complete || !version) {
    std::fprintf(stderr, "%s is left out: %s is not there\n", contender.name.c_str(),
                 version ? needed_file : contender.program.c_str());
    return;
  }
  contender.version = *version;
  contenders.push_back(std::move(contender));
}

}  // namespace

std::vector<Contender> find_contenders(const std::string& holdfast_program) {
  std::vector<Contender> contenders;
  add_if_installed(contenders, {"holdfast", holdfast_program, "", configure_holdfast, run_holdfast},
                   "version");
  add_if_installed(contenders, {"HAProxy", "/usr/sbin/haproxy", "", configure_haproxy, run_haproxy},
                   "-v");
  // A USR2 is heeded only by a master whose parent is gone, which is what daemonizing is for.
  add_if_installed(contenders, {"nginx", "/usr/sbin/nginx", "", configure_nginx, run_nginx, true},
                   "-v", kNginxStreamModule);
  return contenders;
}

}  // namespace holdfast::bench
