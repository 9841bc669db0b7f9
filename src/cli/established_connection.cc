#include "cli/established_connection.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::cli {

EstablishedConnection::EstablishedConnection(loop::Loop& loop, const SocketAddress& target,
                                             std::string_view request)
    : request_(request), asked_(Clock::now()) {
  auto socket = start_connect(target);
  if (!socket) {
    lose(outcome_of_error(socket.error().code));
    return;
  }
  socket_ = std::move(*socket);
  loop::Poll::Handler& handler = *this;
  poll_.emplace(loop, socket_.get(), handler);
  poll_->want(false, true);
}

void EstablishedConnection::ask(Duration limit) {
  switch (state_) {
    case State::connecting:
    case State::asking:
      if (Clock::now() - asked_ > limit) {
        lose(Outcome::timed_out);
      }
      return;
    case State::idle:
      send_request();
      return;
    case State::lost:
      return;
  }
}

void EstablishedConnection::on_ready(loop::Poll&, loop::Readiness) {
  if (state_ != State::connecting) {
    receive();
  } else if (const int code = finish_connect(socket_.get()); code != 0) {
    lose(outcome_of_error(code));
  } else {
    send_request();
  }
}

void EstablishedConnection::send_request() {
  asked_ = Clock::now();
  response_ = {};
  const auto sent = ::send(socket_.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    lose(outcome_of_error(errno));
  } else if (static_cast<std::size_t>(sent) != request_.size()) {
    lose(Outcome::other);  // an empty socket buffer holds hundreds of requests
  } else {
    state_ = State::asking;
    poll_->want(true, false);
  }
}

void EstablishedConnection::receive() {
  std::array<char, 4096> buffer;
  const auto received = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (received < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      lose(outcome_of_error(errno));
    }
  } else if (received == 0) {
    lose(Outcome::ended_early);
  } else if (state_ == State::idle) {
    lose(Outcome::other);  // nobody asked
  } else {
    switch (response_.feed({buffer.data(), static_cast<std::size_t>(received)})) {
      case HttpResponse::State::complete:
        take_answer();
        break;
      case HttpResponse::State::malformed:
        lose(Outcome::other);
        break;
      case HttpResponse::State::incomplete:
        break;
    }
  }
}

void EstablishedConnection::take_answer() {
  if (instance_.empty()) {
    instance_ = response_.first_body_line();
  }
  if (response_.status() != 200 || response_.first_body_line() != instance_) {
    lose(Outcome::other);
    return;
  }
  state_ = State::idle;
  answered_ = asked_;
}

void EstablishedConnection::lose(Outcome outcome) {
  state_ = State::lost;
  loss_ = outcome;
  poll_.reset();
  socket_.reset();
}

}  // namespace holdfast::cli
