#include "holdfast/takeover/image.h"

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>

#include "holdfast/base/clock.h"
#include "holdfast/base/descriptor_table.h"
#include "holdfast/takeover/clone.h"
#include "holdfast/takeover/message.h"

namespace holdfast::takeover {
namespace {

constexpr int kExecuteAgainMs = 1000;

// Sets the flags of every descriptor but the standard ones (F_SETFD, fcntl(2)).
void flag_descriptors(int flags) {
  for_each_descriptor([flags](int fd) {
    if (fd > STDERR_FILENO) {
      ::fcntl(fd, F_SETFD, flags);
    }
  });
}

// In the child, which is the last to hold the descriptors once the worker is gone.
[[noreturn]] void become_guardian(const Image& image, int worker, state::SharedState& shared) {
  auto& supervision = shared.supervision;
  supervision.guardian_pid.set(static_cast<std::uint32_t>(::getpid()));
  // An upgrade that the dead guardian had begun is off; its keeper goes.
  supervision.upgrade.state.set(static_cast<std::uint32_t>(state::UpgradeState::none));
  supervision.last_cause.set(static_cast<std::uint32_t>(state::DeathCause::guardian));
  supervision.died_at.set(static_cast<std::uint64_t>(to_nanoseconds(Clock::now())));
  supervision.restarts[static_cast<std::size_t>(state::DeathCause::guardian)].add(1);
  shared.events.write(state::EventKind::guardian_replaced,
                      {{"pid", ::getpid()}, {"connections", shared.connections.get()}});
  ::syscall(SYS_pidfd_send_signal, worker, SIGKILL, nullptr, 0);
  pollfd gone{.fd = worker, .events = POLLIN, .revents = 0};
  while (::poll(&gone, 1, -1) < 0 && errno == EINTR) {
  }
  for (;;) {
    const int code = image.execute();
    say("error", "new guardian not started errno=%d", code);
    ::poll(nullptr, 0, kExecuteAgainMs);
  }
}

}  // namespace

Image::Image(std::string program, std::vector<std::string> arguments)
    : program_(std::move(program)), arguments_(std::move(arguments)) {
  for (auto& argument : arguments_) {
    argv_.push_back(argument.data());
  }
  argv_.push_back(nullptr);
}

int Image::execute() const {
  // No descriptor is closed by the execve(2) to come. Blocked signals stay blocked: one that comes
  // meanwhile waits for the program to ask for it.
  flag_descriptors(0);
  ::execv(program_.c_str(), argv_.data());
  return errno;
}

void close_descriptors_on_execute() {
  flag_descriptors(FD_CLOEXEC);
}

int replace_guardian(const Image& image, state::SharedState& shared) {
  // Not CLOEXEC and not closed: the worker's successor sweeps it away.
  const auto worker = static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0));
  if (worker < 0) {
    return errno;
  }
  const pid_t child = clone_sharing_descriptors();
  if (child < 0) {
    return errno;
  }
  if (child == 0) {
    become_guardian(image, worker, shared);
  }
  for (;;) {
    ::pause();  // the child ends this process
  }
}

}  // namespace holdfast::takeover
