#include "crowd/bulk_service.h"

#include <sys/socket.h>

#include <cerrno>
#include <optional>

#include "crowd/bulk_protocol.h"
#include "crowd/content_stream.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kPause = 5ms;

Step step_of(ssize_t count) {
  if (count > 0) {
    return Step::again;
  }
  return count == 0                          ? Step::ended_early
         : errno == EAGAIN || errno == EINTR ? Step::would_block
                                             : Step::failed;
}

}  // namespace

class BulkService::Connection final : private loop::Poll::Handler {
 public:
  Connection(BulkService& service, Fd socket)
      : service_(service),
        socket_(std::move(socket)),
        poll_(service.loop_, socket_.get(), *this),
        pause_(service.loop_, [this] { go_on(); }) {
    poll_.want(true, false);
  }

 private:
  enum class State : std::uint8_t { reading_request, sending, receiving, awaiting_end };

  void on_ready(loop::Poll&, loop::Readiness) override { go_on(); }
  void go_on();
  [[nodiscard]] Step step();
  [[nodiscard]] Step read_request();
  [[nodiscard]] Step receive();
  [[nodiscard]] Step await_end();

  BulkService& service_;
  Fd socket_;
  State state_ = State::reading_request;
  BulkRequest::Bytes request_{};
  std::size_t request_size_ = 0;
  std::optional<ContentSender> sender_;
  std::optional<ContentReceiver> receiver_;
  loop::Poll poll_;
  loop::Timer pause_;
};

void BulkService::Connection::go_on() {
  switch (step()) {
    case Step::again:
    case Step::would_block:
      poll_.want(state_ != State::sending, state_ == State::sending);
      return;
    case Step::throttled:
      poll_.want(false, false);
      pause_.start_once(kPause);
      return;
    case Step::done:
    case Step::ended_early:
    case Step::failed:
      service_.connections_.erase(this);
      return;
  }
}

Step BulkService::Connection::step() {
  switch (state_) {
    case State::reading_request:
      return read_request();
    case State::sending: {
      const auto step = sender_->send(socket_.get());
      if (step != Step::done) {
        return step;
      }
      state_ = State::awaiting_end;
      return Step::again;
    }
    case State::receiving:
      return receive();
    case State::awaiting_end:
      return await_end();
  }
  std::abort();
}

Step BulkService::Connection::read_request() {
  const auto left = std::span(request_).subspan(request_size_);
  const auto count = ::recv(socket_.get(), left.data(), left.size(), 0);
  if (count <= 0) {
    return step_of(count);
  }
  request_size_ += static_cast<std::size_t>(count);
  if (request_size_ < request_.size()) {
    return Step::again;
  }
  const auto request = BulkRequest::parse(request_);
  if (!request) {
    return Step::failed;
  }
  switch (request->direction) {
    case BulkRequest::Direction::download:
      sender_.emplace(request->seed, request->size);
      state_ = State::sending;
      break;
    case BulkRequest::Direction::upload:
      ContentReceiver::limit_room(socket_.get());
      receiver_.emplace(request->seed, request->size, Throttle(request->rate, Clock::now()));
      state_ = State::receiving;
      break;
  }
  return Step::again;
}

Step BulkService::Connection::receive() {
  const auto step = receiver_->receive(socket_.get(), Clock::now());
  if (step != Step::done) {
    return step;
  }
  // The other direction is empty: there is room for a number.
  const auto judgement = to_bytes(receiver_->wrong_bytes());
  const auto sent = ::send(socket_.get(), judgement.data(), judgement.size(), MSG_NOSIGNAL);
  state_ = State::awaiting_end;
  return sent == static_cast<ssize_t>(judgement.size()) ? Step::again : Step::failed;
}

Step BulkService::Connection::await_end() {
  std::array<char, 64> more;
  return step_of(::recv(socket_.get(), more.data(), more.size(), 0));
}

BulkService::BulkService(loop::Loop& loop, Fd listener)
    : loop_(loop), acceptor_(loop, std::move(listener), [this](Fd socket) {
        auto connection = std::make_unique<Connection>(*this, std::move(socket));
        connections_.emplace(connection.get(), std::move(connection));
      }) {}

BulkService::~BulkService() = default;

}  // namespace holdfast::bench
