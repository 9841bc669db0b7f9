#include "relay/client_watch.h"

#include <poll.h>

namespace holdfast::relay {
namespace {

bool has_hung_up(int socket) {
  pollfd asked{.fd = socket, .events = 0, .revents = 0};
  return ::poll(&asked, 1, 0) == 1;  // POLLERR and POLLHUP need no asking
}

}  // namespace

ClientWatch::ClientWatch(loop::Loop& loop, int client, Leaving leaving, Owner& owner)
    : client_(client), leaving_(leaving), owner_(owner), poll_(loop, client, *this) {
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
  poll.want(false, false);  // something urgent, which nobody reads now and which goes on to wake us
}

}  // namespace holdfast::relay
