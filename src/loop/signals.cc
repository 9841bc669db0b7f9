#include "holdfast/loop/signals.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace holdfast::loop {
namespace {

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) {
    sigaddset(&set, number);
  }
  return set;
}

Fd make_signalfd(std::initializer_list<int> numbers) {
  const auto set = set_of(numbers);
  return Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

}  // namespace

void Signals::block(std::initializer_list<int> numbers) {
  const auto set = set_of(numbers);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

Signals::Signals(Loop& loop, std::initializer_list<int> numbers, std::function<void(int)> callback)
    : fd_(make_signalfd(numbers)), callback_(std::move(callback)), poll_(loop, fd_.get(), *this) {
  poll_.want(true, false);
}

void Signals::on_ready(Poll&, Readiness) {
  // One a turn, and a copy of the callback, since it may destroy all this. What else is pending
  // makes the descriptor ready again.
  signalfd_siginfo info{};
  if (::read(fd_.get(), &info, sizeof info) == sizeof info) {
    const auto callback = callback_;
    callback(static_cast<int>(info.ssi_signo));
  }
}

}  // namespace holdfast::loop
