#include "cli/alarm.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

namespace holdfast::cli {

Result<std::unique_ptr<Alarm>> Alarm::make(loop::Loop& loop, std::function<void()> callback) {
  Fd timer(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (!timer.is_open()) {
    return fail("cannot make a timer", errno);
  }
  return std::unique_ptr<Alarm>(new Alarm(loop, std::move(timer), std::move(callback)));
}

Alarm::Alarm(loop::Loop& loop, Fd timer, std::function<void()> callback)
    : timer_(std::move(timer)), callback_(std::move(callback)), poll_(loop, timer_.get(), *this) {}

void Alarm::set(TimePoint time) {
  const auto nanoseconds = to_nanoseconds(time);
  const itimerspec spec{{0, 0}, {nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000}};
  ::timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME, &spec, nullptr);
  poll_.want(true, false);
}

void Alarm::on_ready(loop::Poll&, loop::Readiness) {
  std::uint64_t expirations = 0;
  static_cast<void>(::read(timer_.get(), &expirations, sizeof expirations));
  callback_();
}

}  // namespace holdfast::cli
