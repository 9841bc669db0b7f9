#include "crowd/transfer.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>

#include "cli/http_exchange.h"
#include "holdfast/base/socket.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 5ms;

std::string reason_of_errno() {
  const auto outcome = cli::outcome_of_error(errno);
  return outcome == cli::Outcome::other ? error_text(errno) : std::string(to_string(outcome));
}

}  // namespace

Transfer::Transfer(loop::Loop& loop, Fd socket, const BulkRequest& request, std::size_t number,
                   Owner& owner)
    : socket_(std::move(socket)),
      request_(request),
      number_(number),
      owner_(owner),
      sender_(request.seed, request.size),
      receiver_(request.seed, request.size, Throttle(request.rate, Clock::now())),
      last_progress_(Clock::now()),
      poll_(loop, socket_.get(), *this),
      pause_(loop, [this] { go_on(); }) {
  if (request.direction == BulkRequest::Direction::download) {
    ContentReceiver::limit_room(socket_.get());
  }
  poll_.want(false, true);
}

std::uint64_t Transfer::bytes() const {
  return sender_.sent() + receiver_.received();
}

void Transfer::on_ready(loop::Poll&, loop::Readiness) {
  go_on();
}

void Transfer::go_on() {
  const auto bytes_before = bytes();
  auto step = this->step();
  if (bytes() != bytes_before || step == Step::done) {
    last_progress_ = Clock::now();
  }
  if (step == Step::done) {
    if (state_ == State::closing) {
      owner_.transfer_ended(*this, wrong_bytes() == 0 ? "" : "wrong bytes");
      return;
    }
    state_ = next_state();
    if (state_ == State::closing) {
      ::shutdown(socket_.get(), SHUT_WR);
    }
    step = Step::again;
  }
  const bool writes = state_ == State::asking || state_ == State::sending;
  switch (step) {
    case Step::done:
    case Step::again:
    case Step::would_block:
      poll_.want(!writes, writes);
      return;
    case Step::throttled:
      poll_.want(false, false);
      pause_.start_once(kPause);
      return;
    case Step::ended_early:
      owner_.transfer_ended(*this, "ended early");
      return;
    case Step::failed:
      owner_.transfer_ended(*this, reason_of_errno());
      return;
  }
}

Step Transfer::step() {
  switch (state_) {
    case State::connecting:
      return finish_connecting();
    case State::asking:
      return ask();
    case State::receiving:
      return receiver_.receive(socket_.get(), Clock::now());
    case State::sending:
      return sender_.send(socket_.get());
    case State::reading_judgement:
      return read_judgement();
    case State::closing:
      return await_end();
  }
  std::abort();
}

Transfer::State Transfer::next_state() const {
  const bool download = request_.direction == BulkRequest::Direction::download;
  switch (state_) {
    case State::connecting:
      return State::asking;
    case State::asking:
      return download ? State::receiving : State::sending;
    case State::sending:
      return State::reading_judgement;
    case State::receiving:
    case State::reading_judgement:
    case State::closing:
      return State::closing;
  }
  std::abort();
}

Step Transfer::finish_connecting() {
  errno = finish_connect(socket_.get());
  return errno == 0 ? Step::done : Step::failed;
}

Step Transfer::ask() {
  // A fresh socket buffer holds many of these.
  const auto bytes = request_.to_bytes();
  const auto sent = ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(bytes.size()) ? Step::done : Step::failed;
}

Step Transfer::read_judgement() {
  const auto left = std::span(judgement_).subspan(judgement_size_);
  const auto count = ::recv(socket_.get(), left.data(), left.size(), 0);
  if (count <= 0) {
    return count == 0                          ? Step::ended_early
           : errno == EAGAIN || errno == EINTR ? Step::would_block
                                               : Step::failed;
  }
  judgement_size_ += static_cast<std::size_t>(count);
  if (judgement_size_ < judgement_.size()) {
    return Step::again;
  }
  wrong_ += from_bytes(judgement_);
  return Step::done;
}

Step Transfer::await_end() {
  std::array<char, 64> more;
  const auto count = ::recv(socket_.get(), more.data(), more.size(), 0);
  if (count < 0) {
    return errno == EAGAIN || errno == EINTR ? Step::would_block : Step::failed;
  }
  wrong_ += static_cast<std::uint64_t>(count);  // nothing may come after the end
  return count == 0 ? Step::done : Step::again;
}

}  // namespace holdfast::bench
