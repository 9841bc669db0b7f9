#include "crowd/content_stream.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace holdfast::bench {
namespace {

constexpr std::size_t kPiece = 64 * 1024;
constexpr int kPieces = 4;  // of a step
constexpr int kRoom = 128 * 1024;
constexpr double kLeast = 16 * 1024;
constexpr double kMostSaved = 20e-3;  // seconds

using Piece = std::array<std::byte, kPiece>;

Step step_of_error(int code) {
  return code == EAGAIN || code == EINTR ? Step::would_block : Step::failed;
}

}  // namespace

Throttle::Throttle(double rate, TimePoint now) : rate_(rate), last_(now) {}

std::size_t Throttle::allowed(TimePoint now) {
  const auto most = std::max(rate_ * kMostSaved, 4 * kLeast);
  saved_ += rate_ * std::chrono::duration<double>(now - last_).count();
  saved_ = std::min(saved_, most);
  last_ = now;
  return saved_ < kLeast ? 0 : static_cast<std::size_t>(saved_);
}

Step ContentSender::send(int socket) {
  Piece piece;
  for (int i = 0; i < kPieces; ++i) {
    std::span<std::byte> bytes;
    if (sent_ < size_) {
      bytes = std::span(piece).first(std::min<std::uint64_t>(kPiece, size_ - sent_));
      content_.fill(sent_, bytes);
    } else {
      const auto trailer = to_bytes(checksum_.value());
      bytes = std::span(piece).first(size_ + trailer.size() - sent_);
      std::copy_n(trailer.end() - static_cast<std::ptrdiff_t>(bytes.size()), bytes.size(),
                  bytes.begin());
    }
    const auto count = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count < 0) {
      return step_of_error(errno);
    }
    const auto gone = static_cast<std::size_t>(count);
    if (sent_ < size_) {
      checksum_.add(bytes.first(gone));
    }
    sent_ += gone;
    if (sent_ == size_ + sizeof(NumberBytes)) {
      return Step::done;
    }
  }
  return Step::again;
}

void ContentReceiver::limit_room(int socket) {
  static_cast<void>(::setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &kRoom, sizeof kRoom));
}

Step ContentReceiver::receive(int socket, TimePoint now) {
  Piece piece;
  for (int i = 0; i < kPieces; ++i) {
    const auto allowed = throttle_.allowed(now);
    if (allowed == 0) {
      return Step::throttled;
    }
    const auto left = size_ + sizeof(NumberBytes) - received_;
    const auto count = ::recv(socket, piece.data(), std::min({left, allowed, kPiece}), 0);
    if (count < 0) {
      return step_of_error(errno);
    }
    if (count == 0) {
      return Step::ended_early;
    }
    throttle_.take(static_cast<std::size_t>(count));
    take(std::span(piece).first(static_cast<std::size_t>(count)));
    if (received_ == size_ + sizeof(NumberBytes)) {
      return Step::done;
    }
  }
  return Step::again;
}

void ContentReceiver::take(std::span<const std::byte> bytes) {
  if (received_ < size_) {
    const auto content = bytes.first(std::min<std::uint64_t>(bytes.size(), size_ - received_));
    wrong_ += content_.count_wrong(received_, content);
    checksum_.add(content);
    received_ += content.size();
    bytes = bytes.subspan(content.size());
  }
  const auto trailer = to_bytes(checksum_.value());
  for (const auto byte : bytes) {
    wrong_ += byte == trailer[received_ - size_] ? 0 : 1;
    ++received_;
  }
}

}  // namespace holdfast::bench
