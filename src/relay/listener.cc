#include "relay/listener.h"

#include <sys/socket.h>

#include <cerrno>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"

namespace holdfast::relay {
namespace {

constexpr int kBurst = 64;  // accepts in a row before connections get their turn

// Errors of the connection that would have been accepted, not of the listener (accept(2)): the
// next one may be fine (scar 28).
bool is_transient(int code) {
  switch (code) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    case ENOPROTOOPT:
    case ENETDOWN:
    case ENONET:
    case EHOSTDOWN:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
    case EPERM:  // a firewall's word
      return true;
    default:  // errno is an open set; what isn't known to be harmless pauses the accept
      return false;
  }
}

}  // namespace

Listener::Listener(Context& context, std::shared_ptr<const Service> service, Fd socket,
                   Owner& owner)
    : service_(std::move(service)),
      table_(context.table),
      socket_(std::move(socket)),
      owner_(owner),
      poll_(std::in_place, context.loop, socket_.get(), *this) {
  resume();
}

void Listener::on_ready(loop::Poll&, loop::Readiness) {
  for (int i = 0; i < kBurst; ++i) {
    const auto accepted = accept_one();
    if (accepted == Accepted::nothing || accepted == Accepted::shortage) {
      return;
    }
  }
}

bool Listener::drain_queue() {
  // Those that wait now, not those that come meanwhile: in a flood of connects that has no end.
  for (int i = 0; i <= kAcceptBacklog; ++i) {
    const auto accepted = accept_one();
    if (accepted == Accepted::nothing) {
      return true;
    }
    if (accepted == Accepted::shortage) {
      return false;
    }
  }
  return true;
}

Fd Listener::release() {
  poll_.reset();
  return std::move(socket_);
}

Listener::Accepted Listener::accept_one() {
  auto* record = table_.take();
  if (record == nullptr) {
    owner_.on_shortage(*service_, 0);
    return Accepted::shortage;
  }
  record->listener = service_->listener;
  HOLDFAST_FAULT_POINT(accept_record_taken);
  const int client = ::accept4(socket_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client >= 0) {
    HOLDFAST_FAULT_POINT(accept_client_unrecorded);
    record->client_fd = client;
    HOLDFAST_FAULT_POINT(accept_client_recorded);
    tune_stream(client);  // not before: a successor knows by it that there was a record
    HOLDFAST_FAULT_POINT(accept_client_tuned);
    owner_.on_client(service_, *record);
    return Accepted::client;
  }
  const int code = errno;
  HOLDFAST_FAULT_POINT(accept_nothing_there);
  table_.give_back(*record);
  HOLDFAST_FAULT_POINT(accept_record_returned);
  if (code == EAGAIN) {
    return Accepted::nothing;
  }
  if (is_transient(code)) {
    return Accepted::transient;
  }
  owner_.on_shortage(*service_, code);
  return Accepted::shortage;
}

}  // namespace holdfast::relay
