#include "health/transport.h"

#include <sys/socket.h>

#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::health {

Result<Transport> Transport::open(const CheckPlan& plan) {
  auto socket = start_connect(plan.address, {.source = plan.source, .stream = {}});
  if (!socket) {
    return tl::unexpected(socket.error());
  }
  std::unique_ptr<TlsStream> tls;
  if (plan.tls) {
    tls = std::make_unique<TlsStream>(plan.tls, socket->get(), plan.server_name);
  }
  return Transport(std::move(*socket), std::move(tls));
}

Io Transport::establish() {
  if (!connected_) {
    const int code = finish_connect(socket_.get());
    if (!tls_ && (code == ECONNRESET || code == EPIPE)) {  // EPIPE: reset after its FIN
      reset_by_ = code;  // since; what it said before is still to be had
    } else if (code != 0) {
      return fail_with(code);
    }
    connected_ = true;
  }
  return tls_ ? outcome_of(tls_->shake_hands()) : Io::done;
}

Io Transport::send(std::string_view& rest) {
  if (tls_) {
    return outcome_of(tls_->send(rest));
  }
  ssize_t sent = 0;
  do {
    sent = ::send(socket_.get(), rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) {
    return errno == EAGAIN ? Io::want_write : fail_with(errno);
  }
  rest.remove_prefix(static_cast<std::size_t>(sent));
  return Io::done;
}

Io Transport::receive(std::span<char> buffer, std::size_t& got) {
  if (tls_) {
    return outcome_of(tls_->receive(buffer, got));
  }
  ssize_t received = 0;
  do {
    received = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
  } while (received < 0 && errno == EINTR);
  got = received > 0 ? static_cast<std::size_t>(received) : 0;
  if (received < 0) {
    return errno == EAGAIN ? Io::want_read : fail_with(errno);
  }
  if (received > 0) {
    return Io::done;
  }
  return reset_by_ == 0 ? Io::ended : fail_with(reset_by_);
}

void Transport::finish_sending() {
  if (tls_) {
    tls_->finish_sending();
  }
  ::shutdown(socket_.get(), SHUT_WR);
}

bool Transport::drain() {
  char dropped[4096];
  for (int i = 0; i < 16; ++i) {  // a backend that never stops sending doesn't hold the loop
    const ssize_t got = ::recv(socket_.get(), dropped, sizeof dropped, MSG_DONTWAIT);
    if (got > 0 || (got < 0 && errno == EINTR)) {
      continue;
    }
    return got < 0 && errno == EAGAIN;
  }
  return true;
}

Io Transport::fail_with(int code) {
  failure_ = {code, error_text(code)};
  return Io::failed;
}

Io Transport::outcome_of(Io tls) {
  if (tls == Io::failed) {
    failure_ = {0, tls_->failure()};
  }
  return tls;
}

}  // namespace holdfast::health
