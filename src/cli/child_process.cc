#include "cli/child_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>

namespace holdfast::cli {
namespace {

struct Pipe {
  Fd read_end;
  Fd write_end;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return fail("cannot make a pipe", errno);
  }
  Pipe pipe{Fd(ends[0]), Fd(ends[1])};
  // Only our end is non-blocking; programs don't expect it of theirs.
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return pipe;
}

struct Streams {
  Fd null_device;
  Pipe output;
  Pipe errors;
  Pipe failure;  // carries the errno of an exec that failed; a successful exec closes it

  [[nodiscard]] static Result<Streams> make(const ChildProcess::Command& command);
};

Result<Streams> Streams::make(const ChildProcess::Command& command) {
  Streams streams;
  streams.null_device = Fd(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!streams.null_device.is_open()) {
    return fail("cannot open /dev/null", errno);
  }
  const auto open_pipe = [](Pipe& pipe) -> Result<void> {
    return make_pipe().map([&](Pipe fresh) { pipe = std::move(fresh); });
  };
  Result<void> opened = open_pipe(streams.failure);
  if (opened && command.output == ChildProcess::Stream::piped) {
    opened = open_pipe(streams.output);
  }
  if (opened && command.errors == ChildProcess::Stream::piped) {
    opened = open_pipe(streams.errors);
  }
  if (!opened) {
    return tl::unexpected(opened.error());
  }
  return streams;
}

void connect_stream(int number, ChildProcess::Stream kind, const Pipe& pipe, int null_device) {
  switch (kind) {
    case ChildProcess::Stream::inherited:
      return;
    case ChildProcess::Stream::discarded:
      ::dup2(null_device, number);
      return;
    case ChildProcess::Stream::piped:
      ::dup2(pipe.write_end.get(), number);
      return;
  }
}

// In the child. Other threads of the parent may have held any lock at the fork: only
// async-signal-safe calls until the exec (fork(2)), so everything is prepared before.
[[noreturn]] void run_child(const ChildProcess::Command& command, const Streams& streams,
                            pid_t parent, char* const* arguments) {
  ::prctl(PR_SET_PDEATHSIG, command.death_signal);
  if (::getppid() != parent) {
    ::_exit(127);  // the parent died before it was asked for
  }
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::dup2(streams.null_device.get(), STDIN_FILENO);
  connect_stream(STDOUT_FILENO, command.output, streams.output, streams.null_device.get());
  connect_stream(STDERR_FILENO, command.errors, streams.errors, streams.null_device.get());
  for (const int descriptor : command.descriptors) {
    ::fcntl(descriptor, F_SETFD, 0);
  }
  ::execv(arguments[0], arguments);
  const int code = errno;
  static_cast<void>(::write(streams.failure.write_end.get(), &code, sizeof code));
  ::_exit(127);
}

Fd open_pidfd(pid_t pid) {
  // The declaration in glibc 2.36 lacks its extern "C".
  return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
}

// 0 when the program runs, the errno when it could not be run.
int wait_for_exec(Pipe failure) {
  failure.write_end.reset();
  pollfd ready{failure.read_end.get(), POLLIN, 0};
  while (::poll(&ready, 1, -1) < 0 && errno == EINTR) {
  }
  int code = 0;
  return ::read(failure.read_end.get(), &code, sizeof code) == sizeof code ? code : 0;
}

}  // namespace

Result<std::unique_ptr<ChildProcess>> ChildProcess::start(const Command& command) {
  auto streams = Streams::make(command);
  if (!streams) {
    return tl::unexpected(streams.error());
  }
  std::vector<char*> arguments;
  for (const auto& argument : command.arguments) {
    arguments.push_back(const_cast<char*>(argument.c_str()));  // execv(3) doesn't change them
  }
  arguments.push_back(nullptr);

  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return fail("cannot fork", errno);
  }
  if (pid == 0) {
    run_child(command, *streams, parent, arguments.data());
  }
  std::unique_ptr<ChildProcess> child(new ChildProcess(pid, open_pidfd(pid),
                                                       std::move(streams->output.read_end),
                                                       std::move(streams->errors.read_end)));
  if (const int code = wait_for_exec(std::move(streams->failure)); code != 0) {
    return fail("cannot run " + command.arguments[0], code);
  }
  if (!child->end_fd_.is_open()) {
    return fail("cannot watch a process", errno);
  }
  return child;
}

ChildProcess::ChildProcess(pid_t pid, Fd end_fd, Fd output, Fd errors)
    : pid_(pid),
      end_fd_(std::move(end_fd)),
      output_(std::move(output)),
      errors_(std::move(errors)) {}

ChildProcess::~ChildProcess() {
  if (!status_) {
    send_signal(SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

void ChildProcess::send_signal(int number) {
  // Until it is reaped the number can't be anybody else's.
  if (!status_) {
    ::kill(number == SIGKILL ? -pid_ : pid_, number);
  }
}

std::optional<int> ChildProcess::wait(Duration limit) {
  if (!status_) {
    pollfd ended{end_fd_.get(), POLLIN, 0};
    const auto milliseconds = std::chrono::ceil<std::chrono::milliseconds>(limit).count();
    if (::poll(&ended, 1, static_cast<int>(milliseconds)) > 0) {
      ::kill(-pid_, SIGKILL);  // before it is reaped, as long as the number is its own
    }
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      status_ = status;
    }
  }
  return status_;
}

int ChildProcess::stop(Duration grace) {
  send_signal(SIGTERM);
  if (!wait(grace)) {
    send_signal(SIGKILL);
    while (!wait(std::chrono::seconds(1))) {
    }
  }
  return *status_;
}

std::string describe_status(int status) {
  return WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                             : "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace holdfast::cli
