#include "relay/client_watch.h"

#include <poll.h>

namespace holdfast::relay {
namespace {

// How often a client is looked at whose socket can't be polled.
constexpr auto kLookInterval = std::chrono::milliseconds(100);

bool has_hung_up(int socket) {
  pollfd asked{.fd = socket, .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) == 1;  // POLLERR and POLLHUP need no asking
}

}  // namespace

ClientWatch::ClientWatch(Context& context, int client, Leaving leaving, Owner& owner)
    : context_(context),
      client_(client),
      leaving_(leaving),
      owner_(owner),
      poll_(context.loop, client, *this) {
  switch (leaving) {
    case Leaving::by_fin:
      poll_.want_end();
      return;
    case Leaving::by_hangup:
      poll_.want_hangup();
      return;
  }
}

void ClientWatch::on_ready(loop::Poll& poll, loop::Readiness ready) {
  if (leaving_ == Leaving::by_fin || ready.failed || has_hung_up(client_)) {
    owner_.on_client_left();
    return;
  }
  // Something urgent, which nobody reads now and which would go on to wake us.
  poll.want(false, false);
  look_later();
}

void ClientWatch::on_deadline() {
  if (has_hung_up(client_)) {
    owner_.on_client_left();
  } else {
    look_later();
  }
}

void ClientWatch::look_later() {
  context_.deadlines.list(kLookInterval).touch(*this);
}

}  // namespace holdfast::relay
