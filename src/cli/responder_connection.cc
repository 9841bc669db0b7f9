#include "cli/responder_connection.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <optional>

#include "cli/http_fields.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr auto kIdleLimit = 5min;
constexpr auto kLingerLimit = 2s;
constexpr std::uint64_t kMaxFiller = std::uint64_t{1} << 30;
constexpr std::size_t kSendBurst = 1
                                   << 20;  // per wake-up, so that one download can't starve others

constexpr auto kFiller = [] {
  std::array<char, 64 * 1024> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = i % 64 == 63 ? '\n' : static_cast<char>('0' + i % 64);
  }
  return bytes;
}();

// The N of "/bytes/N"; nothing for any other target.
std::optional<std::string_view> filler_size(std::string_view target) {
  constexpr std::string_view kPrefix = "/bytes/";
  if (!target.starts_with(kPrefix)) {
    return std::nullopt;
  }
  return target.substr(kPrefix.size());
}

std::string make_header(std::string_view status, std::uint64_t length, bool last) {
  std::string header = "HTTP/1.1 ";
  header += status;
  header += "\r\nServer: holdfast-instance\r\nContent-Type: text/plain\r\nContent-Length: ";
  header += std::to_string(length);
  header += last ? "\r\nConnection: close\r\n\r\n" : "\r\n\r\n";
  return header;
}

bool would_block() {
  return errno == EAGAIN || errno == EINTR;
}

}  // namespace

ResponderConnection::ResponderConnection(loop::Loop& loop, Fd socket, std::string_view name,
                                         Owner& owner)
    : loop_(loop),
      socket_(std::move(socket)),
      name_(name),
      owner_(owner),
      last_progress_(loop.now()),
      poll_(loop, socket_.get(), *this) {
  poll_.want(true, false);
}

bool ResponderConnection::is_overdue(TimePoint now) const {
  const Duration limit = state_ == State::lingering ? Duration(kLingerLimit) : kIdleLimit;
  return now - last_progress_ > limit;
}

void ResponderConnection::on_ready(loop::Poll&, loop::Readiness ready) {
  // A reset: nobody is left to answer, whatever has arrived.
  bool alive = !ready.failed;
  if (alive && state_ == State::serving) {
    alive = (!ready.readable || receive()) && serve();
  }
  if (alive && state_ == State::lingering) {
    alive = linger();
  }
  if (!alive) {
    owner_.connection_ended(*this);
  }
}

bool ResponderConnection::receive() {
  std::array<char, kMaxRequestHeader> buffer;
  assert(input_.size() < buffer.size() && "serve() waits only for what can still fit");
  const auto room = buffer.size() - input_.size();
  const auto received = ::recv(socket_.get(), buffer.data(), room, 0);
  if (received < 0) {
    return would_block();
  }
  input_ended_ = received == 0;
  input_.append(buffer.data(), static_cast<std::size_t>(received));
  return true;
}

bool ResponderConnection::serve() {
  while (true) {
    switch (send_pending()) {
      case Progress::failed:
        return false;
      case Progress::blocked:
        poll_.want(false, true);
        return true;
      case Progress::done:
        break;
    }
    if (last_answer_) {
      state_ = State::lingering;
      return ::shutdown(socket_.get(), SHUT_WR) == 0;
    }
    const auto parsed = parse_request(input_);
    if (parsed.state == ParsedRequest::State::incomplete) {
      poll_.want(true, false);
      return !input_ended_;
    }
    answer(parsed);
  }
}

bool ResponderConnection::linger() {
  // Closing with bytes unread would send a reset, which can overtake the answer and make the
  // client's kernel drop it (RFC 9112, 9.6).
  if (input_ended_) {
    return false;
  }
  std::array<char, 4096> dropped;
  const auto received = ::recv(socket_.get(), dropped.data(), dropped.size(), 0);
  poll_.want(true, false);
  return received > 0 || (received < 0 && would_block());
}

void ResponderConnection::answer(const ParsedRequest& parsed) {
  last_progress_ = loop_.now();
  switch (parsed.state) {
    case ParsedRequest::State::complete:
      answer_request(parsed.request);
      input_.erase(0, parsed.request.size);
      return;
    case ParsedRequest::State::too_large:
      answer_error("431 Request Header Fields Too Large");
      return;
    case ParsedRequest::State::malformed:
    case ParsedRequest::State::incomplete:
      answer_error("400 Bad Request");
      return;
  }
}

void ResponderConnection::answer_request(const HttpRequest& request) {
  if (request.method == HttpRequest::Method::other) {
    answer_error("405 Method Not Allowed");
    return;
  }
  if (request.has_body) {
    answer_error("400 Bad Request");  // bodies aren't read, so the next request can't be found
    return;
  }
  last_answer_ = !request.keep_alive;
  const bool with_body = request.method == HttpRequest::Method::get;
  if (const auto text = filler_size(request.target)) {
    const auto size = parse_number(*text);
    if (!size || *size > kMaxFiller) {
      answer_error("404 Not Found");
      return;
    }
    output_ = make_header("200 OK", *size, last_answer_);
    filler_left_ = with_body ? *size : 0;
    return;
  }
  const auto body = std::string(name_) + "\n";
  output_ = make_header("200 OK", body.size(), last_answer_) + (with_body ? body : "");
}

void ResponderConnection::answer_error(std::string_view status) {
  const auto body = std::string(status) + "\n";
  last_answer_ = true;
  output_ = make_header(status, body.size(), last_answer_) + body;
}

ResponderConnection::Progress ResponderConnection::send_pending() {
  std::size_t burst = 0;
  for (auto piece = next_piece(); !piece.empty(); piece = next_piece()) {
    if (burst >= kSendBurst) {
      return Progress::blocked;
    }
    const auto sent = ::send(socket_.get(), piece.data(), piece.size(), MSG_NOSIGNAL);
    if (sent < 0) {
      return would_block() ? Progress::blocked : Progress::failed;
    }
    const auto count = static_cast<std::size_t>(sent);
    if (output_sent_ < output_.size()) {
      output_sent_ += count;
    } else {
      filler_left_ -= count;
    }
    burst += count;
    last_progress_ = loop_.now();
  }
  output_.clear();
  output_sent_ = 0;
  return Progress::done;
}

std::string_view ResponderConnection::next_piece() const {
  if (output_sent_ < output_.size()) {
    return std::string_view(output_).substr(output_sent_);
  }
  return {kFiller.data(), std::min<std::size_t>(filler_left_, kFiller.size())};
}

}  // namespace holdfast::cli
