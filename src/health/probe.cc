#include "health/probe.h"

#include <sys/socket.h>

#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::health {

using Verdict = ProbeResult::Verdict;

Probe::Probe(loop::Loop& loop, const SocketAddress& address, Duration timeout, Report report,
             const ConnectOptions& options)
    : loop_(loop),
      timeout_(timeout),
      report_(std::move(report)),
      timer_(loop, [this] { on_timer(); }) {
  auto socket = start_connect(address, options);
  if (!socket) {
    // Reported from the loop like every other outcome: nobody is called back while still making
    // the probe.
    timer_means_ = socket.error().code;
    timer_.start_once(Duration::zero());
    return;
  }
  timer_.start_once(timeout);
  socket_ = std::move(*socket);
  poll_.emplace(loop_, socket_.get(), *this);
  poll_->want(false, true);
}

void Probe::on_timer() {
  if (state_ == State::connecting) {
    // After a pause of the process the timer comes first, whatever has happened meanwhile.
    if (socket_.is_open() && is_ready(socket_.get(), false, true)) {
      on_connect_ready();
    } else {
      finish(timer_means_);
    }
  } else {
    let_go();
  }
}

void Probe::on_ready(loop::Poll&, loop::Readiness) {
  switch (state_) {
    case State::connecting:
      on_connect_ready();
      return;
    case State::closing:
      drain();
      return;
    case State::done:
      return;
  }
}

void Probe::on_connect_ready() {
  const int code = finish_connect(socket_.get());
  finish(code == ECONNRESET || code == EPIPE ? 0 : code);  // EPIPE: reset after its FIN
}

void Probe::finish(int code) {
  const auto took = Clock::now() - started_;
  if (code == 0) {
    state_ = State::closing;
    ::shutdown(socket_.get(), SHUT_WR);
    poll_->want(true, false);
    timer_.start_once(timeout_);
  } else {
    let_go();
  }
  const auto report = std::move(report_);
  if (code == 0) {
    report({Verdict::passed, {}, took});
  } else {
    report({is_local_trouble(code) ? Verdict::inconclusive : Verdict::failed,
            code == ETIMEDOUT ? "timeout" : error_text(code), took});
  }
}

void Probe::drain() {
  char dropped[4096];
  for (int i = 0; i < 16; ++i) {  // a backend that never stops sending doesn't hold the loop
    const ssize_t got = ::recv(socket_.get(), dropped, sizeof dropped, MSG_DONTWAIT);
    if (got > 0 || (got < 0 && errno == EINTR)) {
      continue;
    }
    if (got < 0 && errno == EAGAIN) {
      return;
    }
    let_go();
    return;
  }
}

void Probe::let_go() {
  state_ = State::done;
  timer_.stop();
  poll_.reset();
  socket_.reset();
}

}  // namespace holdfast::health
