#pragma once

#include <sys/types.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"

namespace holdfast::cli {

// A program run as our child, which never outlives us: the kernel kills it when the thread that
// started it ends, however it ends (PR_SET_PDEATHSIG, prctl(2)). Start it from the main thread,
// therefore. It has a process group of its own: Ctrl-C reaches us alone, and we end it in order.
class ChildProcess {
 public:
  enum class Stream : std::uint8_t { inherited, discarded, piped };

  struct Command {
    std::vector<std::string> arguments = {};  // the first is the program's path
    Stream output = Stream::discarded;
    Stream errors = Stream::inherited;
    std::vector<int> descriptors = {};  // of ours, which it gets under the same numbers
    int death_signal = SIGKILL;         // that it gets when we die
  };

  // The error says why the program could not be run.
  [[nodiscard]] static Result<std::unique_ptr<ChildProcess>> start(const Command& command);
  // Kills it if it still runs, and reaps it.
  ~ChildProcess();
  ChildProcess(ChildProcess&&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  // Readable once the child has ended (pidfd_open(2)).
  [[nodiscard]] int end_fd() const { return end_fd_.get(); }
  // The reading ends of its piped streams, ours to take; non-blocking.
  [[nodiscard]] Fd take_output() { return std::move(output_); }
  [[nodiscard]] Fd take_errors() { return std::move(errors_); }

  // SIGKILL goes to its whole process group.
  void send_signal(int number);
  // Its wait status once it has ended and is reaped, nothing when it still runs after `limit`. What
  // it leaves in its process group is killed.
  std::optional<int> wait(Duration limit);
  // SIGTERM, and SIGKILL if that isn't heeded within `grace`.
  int stop(Duration grace);

 private:
  ChildProcess(pid_t pid, Fd end_fd, Fd output, Fd errors);

  pid_t pid_;
  std::optional<int> status_;
  Fd end_fd_;
  Fd output_;
  Fd errors_;
};

// "exit code 1", "signal 9": a wait status in words.
[[nodiscard]] std::string describe_status(int status);

}  // namespace holdfast::cli
