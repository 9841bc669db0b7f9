#include "crowd/kept_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>

#include "cli/http_exchange.h"
#include "crowd/small_exchange.h"
#include "holdfast/base/socket.h"

namespace holdfast::bench {
namespace {

std::string reason_of_error(int code) {
  const auto outcome = cli::outcome_of_error(code);
  return outcome == cli::Outcome::other ? error_text(code) : std::string(to_string(outcome));
}

}  // namespace

KeptConnection::KeptConnection(loop::Loop& loop, SocketAddress target, std::size_t number,
                               Owner& owner)
    : loop_(loop), target_(target), number_(number), owner_(owner) {}

void KeptConnection::ask(std::string_view target) {
  assert(!is_waiting());
  unsent_ = question_for(target);
  expected_ = answer_to(target);
  received_ = 0;
  asked_ = Clock::now();
  if (!is_open()) {
    open();
  } else if (send_rest()) {
    poll_->want(true, !unsent_.empty());
  }
}

void KeptConnection::give_up(const std::string& reason) {
  close();
  owner_.lost(*this, reason);
}

void KeptConnection::close() {
  poll_.reset();
  socket_.reset();
  unsent_.clear();
  expected_.clear();
}

void KeptConnection::open() {
  established_ = false;
  auto socket = start_connect(target_);
  if (!socket) {
    give_up(reason_of_error(socket.error().code));
    return;
  }
  socket_ = std::move(*socket);
  connecting_ = true;
  loop::Poll::Handler& handler = *this;
  poll_.emplace(loop_, socket_.get(), handler);
  poll_->want(false, true);
}

void KeptConnection::on_ready(loop::Poll&, loop::Readiness ready) {
  if (connecting_ && !finish_opening()) {
    return;
  }
  if (!unsent_.empty() && !send_rest()) {
    return;
  }
  poll_->want(true, !unsent_.empty());
  if (ready.readable || ready.failed) {
    receive();
  }
}

bool KeptConnection::finish_opening() {
  connecting_ = false;
  const int code = finish_connect(socket_.get());
  if (code != 0) {
    give_up(reason_of_error(code));
  }
  return code == 0;
}

bool KeptConnection::send_rest() {
  const auto sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent < 0 && errno != EAGAIN && errno != EINTR) {
    give_up(reason_of_error(errno));
    return false;
  }
  unsent_.erase(0, static_cast<std::size_t>(std::max<ssize_t>(sent, 0)));
  return true;
}

void KeptConnection::receive() {
  std::array<char, 4096> buffer;
  const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0) {
    if (errno != EAGAIN && errno != EINTR) {
      give_up(reason_of_error(errno));
    }
    return;
  }
  if (count == 0) {
    give_up("ended early");
    return;
  }
  const auto wrong_before = wrong_bytes_;
  compare({buffer.data(), static_cast<std::size_t>(count)});
  if (wrong_bytes_ != wrong_before) {
    give_up("wrong bytes");
    return;
  }
  if (received_ == expected_.size()) {
    expected_.clear();
    times_established_ += established_ ? 0 : 1;
    established_ = true;
    owner_.answered(*this);
  }
}

void KeptConnection::compare(std::string_view bytes) {
  const auto count = std::min(bytes.size(), expected_.size() - received_);
  for (std::size_t i = 0; i < count; ++i) {
    wrong_bytes_ += bytes[i] == expected_[received_ + i] ? 0 : 1;
  }
  wrong_bytes_ += bytes.size() - count;
  received_ += count;
}

}  // namespace holdfast::bench
