#include "crowd/small_exchange.h"

namespace holdfast::bench {
namespace {

constexpr std::size_t kBody = 600;  // about

}  // namespace

std::string question_for(std::string_view target) {
  return "GET " + std::string(target) + " HTTP/1.1\r\nHost: crowd\r\n\r\n";
}

std::string answer_to(std::string_view target) {
  std::string body;
  while (body.size() < kBody) {
    body += target;
    body += '\n';
  }
  return "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace holdfast::bench
