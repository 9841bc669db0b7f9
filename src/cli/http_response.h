#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace holdfast::cli {

// Reads one HTTP/1.x response to a GET as it arrives, in pieces of any size (RFC 9112). It needs
// Content-Length; of the body only the first line is kept. One exchange's own.
class HttpResponse {
 public:
  enum class State : std::uint8_t { incomplete, complete, malformed };

  // More bytes from the connection. Those after the end of the response are ignored.
  State feed(std::string_view bytes);

  // Meaningful when complete.
  [[nodiscard]] int status() const { return status_; }
  [[nodiscard]] std::string_view first_body_line() const;

 private:
  [[nodiscard]] State read_header();

  std::string text_;  // the header while it arrives, then the body's beginning
  bool in_body_ = false;
  int status_ = 0;
  std::uint64_t body_left_ = 0;
};

}  // namespace holdfast::cli
