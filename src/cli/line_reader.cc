#include "cli/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxLine = 64 * 1024;  // a longer one is cut there

}  // namespace

std::optional<std::string> LineReader::next() {
  while (true) {
    const auto end = buffer_.find('\n');
    if (end != std::string::npos || buffer_.size() >= kMaxLine) {
      return cut(end);
    }
    if (ended_ || !fill()) {
      return ended_ && !buffer_.empty() ? cut(end) : std::nullopt;
    }
  }
}

std::optional<std::string> LineReader::wait(Duration limit) {
  const auto deadline = Clock::now() + limit;
  while (true) {
    if (auto line = next()) {
      return line;
    }
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (ended_ || left <= 0) {
      return std::nullopt;
    }
    pollfd readable{fd_.get(), POLLIN, 0};
    ::poll(&readable, 1, static_cast<int>(left));
  }
}

bool LineReader::fill() {
  std::array<char, 4096> bytes;
  const auto count = ::read(fd_.get(), bytes.data(), bytes.size());
  if (count < 0) {
    ended_ = errno != EAGAIN && errno != EINTR;
    return ended_;
  }
  ended_ = count == 0;
  buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

std::optional<std::string> LineReader::cut(std::size_t end) {
  const bool whole = end == std::string::npos;
  auto line = buffer_.substr(0, end);
  buffer_.erase(0, whole ? buffer_.size() : end + 1);
  return line;
}

}  // namespace holdfast::cli
