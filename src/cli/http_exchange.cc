#include "cli/http_exchange.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "holdfast/base/socket.h"

namespace holdfast::cli {

std::string_view to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::answered:
      return "answered";
    case Outcome::refused:
      return "refused";
    case Outcome::reset:
      return "reset";
    case Outcome::ended_early:
      return "ended early";
    case Outcome::timed_out:
      return "timed out";
    case Outcome::not_sent:
      return "not sent";
    case Outcome::other:
      return "other";
  }
  std::abort();
}

Outcome outcome_of_error(int code) {
  switch (code) {
    case ECONNREFUSED:
      return Outcome::refused;
    case ECONNRESET:
    case EPIPE:
      return Outcome::reset;
    case ETIMEDOUT:
      return Outcome::timed_out;
    default:  // errno is the kernel's list, not ours
      return Outcome::other;
  }
}

HttpExchange::HttpExchange(loop::Loop& loop, Fd socket, std::string_view request,
                           TimePoint intended, TimePoint started, Owner& owner)
    : socket_(std::move(socket)),
      request_(request),
      intended_(intended),
      started_(started),
      owner_(owner),
      poll_(loop, socket_.get(), *this) {
  poll_.want(false, true);
}

void HttpExchange::on_ready(loop::Poll&, loop::Readiness) {
  std::optional<Outcome> outcome;
  if (state_ == State::connecting) {
    outcome = send_request();
  } else {
    // A failed poll too: what arrived before the reset counts, and recv(2) tells the error after
    // it.
    outcome = receive();
  }
  if (outcome) {
    owner_.exchange_finished(*this, *outcome);
  }
}

std::optional<Outcome> HttpExchange::send_request() {
  if (const int code = finish_connect(socket_.get()); code != 0) {
    return outcome_of_error(code);
  }
  const auto sent = ::send(socket_.get(), request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    return outcome_of_error(errno);
  }
  if (static_cast<std::size_t>(sent) != request_.size()) {
    return Outcome::other;  // a fresh socket buffer holds hundreds of requests
  }
  state_ = State::receiving;
  poll_.want(true, false);
  return std::nullopt;
}

std::optional<Outcome> HttpExchange::receive() {
  std::array<char, 4096> buffer;
  while (true) {
    const auto received = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (received < 0) {
      return errno == EAGAIN || errno == EINTR ? std::nullopt
                                               : std::optional(outcome_of_error(errno));
    }
    if (received == 0) {
      return Outcome::ended_early;
    }
    switch (response_.feed({buffer.data(), static_cast<std::size_t>(received)})) {
      case HttpResponse::State::complete:
        return response_.status() == 200 ? Outcome::answered : Outcome::other;
      case HttpResponse::State::malformed:
        return Outcome::other;
      case HttpResponse::State::incomplete:
        break;
    }
  }
}

}  // namespace holdfast::cli
