#include "crowd/exchange_service.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "cli/http_request.h"
#include "crowd/small_exchange.h"

namespace holdfast::bench {

class ExchangeService::Connection final : private loop::Poll::Handler {
 public:
  Connection(ExchangeService& service, Fd socket)
      : service_(service), socket_(std::move(socket)), poll_(service.loop_, socket_.get(), *this) {
    poll_.want(true, false);
  }

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  // Each is false when there is no more to do on the connection.
  [[nodiscard]] bool receive();
  [[nodiscard]] bool answer_questions();
  [[nodiscard]] bool send();

  ExchangeService& service_;
  Fd socket_;
  loop::Poll poll_;
  std::string received_;
  std::string unsent_;
};

void ExchangeService::Connection::on_ready(loop::Poll&, loop::Readiness ready) {
  const bool reads = ready.readable || ready.failed;
  if ((reads && !receive()) || !send()) {
    service_.connections_.erase(this);
    return;
  }
  // Who doesn't take the answers may not ask on.
  poll_.want(unsent_.empty(), !unsent_.empty());
}

bool ExchangeService::Connection::receive() {
  std::array<char, 4096> buffer;
  const auto count = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
  if (count < 0) {
    return errno == EAGAIN || errno == EINTR;
  }
  received_.append(buffer.data(), static_cast<std::size_t>(count));
  return count > 0 && answer_questions();
}

bool ExchangeService::Connection::answer_questions() {
  while (true) {
    const auto parsed = cli::parse_request(received_);
    switch (parsed.state) {
      case cli::ParsedRequest::State::incomplete:
        return true;
      case cli::ParsedRequest::State::malformed:
      case cli::ParsedRequest::State::too_large:
        return false;
      case cli::ParsedRequest::State::complete:
        unsent_ += answer_to(parsed.request.target);
        received_.erase(0, parsed.request.size);
        break;
    }
  }
}

bool ExchangeService::Connection::send() {
  if (unsent_.empty()) {
    return true;
  }
  const auto sent = ::send(socket_.get(), unsent_.data(), unsent_.size(), MSG_NOSIGNAL);
  if (sent < 0) {
    return errno == EAGAIN || errno == EINTR;
  }
  unsent_.erase(0, static_cast<std::size_t>(sent));
  return true;
}

ExchangeService::ExchangeService(loop::Loop& loop, Fd listener)
    : loop_(loop), acceptor_(loop, std::move(listener), [this](Fd socket) {
        auto connection = std::make_unique<Connection>(*this, std::move(socket));
        connections_.emplace(connection.get(), std::move(connection));
      }) {}

ExchangeService::~ExchangeService() = default;

}  // namespace holdfast::bench
