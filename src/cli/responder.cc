#include "cli/responder.h"

#include <sys/socket.h>

#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr int kAcceptBurst = 64;
constexpr auto kAcceptPause = 100ms;
constexpr auto kSweepInterval = 1s;

}  // namespace

Responder::Responder(loop::Loop& loop, Fd listener, std::string name)
    : loop_(loop),
      listener_(std::move(listener)),
      name_(std::move(name)),
      poll_(loop, listener_.get(), *this),
      pause_(loop, [this] { poll_.want(true, false); }),
      sweep_(loop, [this] { close_overdue(); }) {
  poll_.want(true, false);
  sweep_.start_every(kSweepInterval);
}

void Responder::on_ready(loop::Poll&, loop::Readiness) {
  ResponderConnection::Owner& owner = *this;
  for (int i = 0; i < kAcceptBurst; ++i) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket.is_open()) {
      if (is_local_trouble(errno)) {
        // The connection stays in the queue and the listener readable: polling on would spin.
        poll_.want(false, false);
        pause_.start_once(kAcceptPause);
      }
      return;
    }
    tune_stream(socket.get());
    auto connection = std::make_unique<ResponderConnection>(loop_, std::move(socket), name_, owner);
    connections_.emplace(connection.get(), std::move(connection));
  }
}

void Responder::connection_ended(ResponderConnection& connection) {
  connections_.erase(&connection);
}

void Responder::close_overdue() {
  const auto now = loop_.now();
  std::erase_if(connections_, [now](const auto& entry) { return entry.second->is_overdue(now); });
}

}  // namespace holdfast::cli
