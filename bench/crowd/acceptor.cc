#include "crowd/acceptor.h"

#include <sys/socket.h>

#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr int kBurst = 64;
constexpr auto kPause = 100ms;

}  // namespace

Acceptor::Acceptor(loop::Loop& loop, Fd listener, std::function<void(Fd)> on_accepted)
    : listener_(std::move(listener)),
      on_accepted_(std::move(on_accepted)),
      poll_(loop, listener_.get(), *this),
      pause_(loop, [this] { poll_.want(true, false); }) {
  poll_.want(true, false);
}

void Acceptor::on_ready(loop::Poll&, loop::Readiness) {
  for (int i = 0; i < kBurst; ++i) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) {
      if (is_local_trouble(errno)) {
        // The connection stays in the queue and the listener readable: polling on would spin.
        poll_.want(false, false);
        pause_.start_once(kPause);
      }
      return;
    }
    tune_stream(socket.get());
    on_accepted_(std::move(socket));
  }
}

}  // namespace holdfast::bench
