#include "cli/curl_body.h"

#include <string>

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxBody = 16 << 20;

}  // namespace

std::size_t collect_body(char* bytes, std::size_t size, std::size_t count, void* body) {
  auto& text = *static_cast<std::string*>(body);
  // Taking less than was offered makes libcurl give up (CURLOPT_WRITEFUNCTION(3)).
  if (text.size() + size * count > kMaxBody) {
    return 0;
  }
  text.append(bytes, size * count);
  return size * count;
}

}  // namespace holdfast::cli
