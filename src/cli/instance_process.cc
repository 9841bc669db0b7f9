#include "cli/instance_process.h"

#include <csignal>
#include <filesystem>

#include "cli/line_reader.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kStartLimit = 5s;

}  // namespace

Result<InstanceProcess> InstanceProcess::make(std::string program, std::string name) {
  return PortReservation::make().map([&](PortReservation port) {
    return InstanceProcess(std::move(program), std::move(name), std::move(port));
  });
}

Result<void> InstanceProcess::start() {
  auto started = ChildProcess::start(
      {.arguments = {program_, "instance", "--listen", address(), "--name", name_},
       .output = ChildProcess::Stream::piped,
       .errors = ChildProcess::Stream::piped});
  if (!started) {
    return tl::unexpected(started.error());
  }
  process_ = std::move(*started);
  if (LineReader(process_->take_output()).wait(kStartLimit)) {
    return {};
  }
  const auto reason = LineReader(process_->take_errors()).next();
  process_.reset();
  return fail("cannot start " + name_ + ": " + reason.value_or("it does not listen"));
}

InstanceProcess::Death InstanceProcess::kill() {
  Death death{Clock::now(), {}};
  process_->send_signal(SIGKILL);
  process_.reset();
  death.reaped = Clock::now();
  return death;
}

std::string own_program() {
  std::error_code error;
  std::string path = std::filesystem::read_symlink("/proc/self/exe", error);
  // What the kernel adds once another file has the name (proc(5)).
  constexpr std::string_view kReplaced = " (deleted)";
  if (path.ends_with(kReplaced)) {
    path.resize(path.size() - kReplaced.size());
  }
  return path;
}

}  // namespace holdfast::cli
