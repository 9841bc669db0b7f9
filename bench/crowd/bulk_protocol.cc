#include "crowd/bulk_protocol.h"

#include <cinttypes>
#include <cstdio>
#include <cstring>

namespace holdfast::bench {

BulkRequest::Bytes BulkRequest::to_bytes() const {
  Bytes bytes{};
  std::snprintf(bytes.data(), bytes.size(), "%s %" PRIu64 " %" PRIu64 " %.0f\n",
                direction == Direction::download ? "download" : "upload", seed, size, rate);
  return bytes;
}

std::optional<BulkRequest> BulkRequest::parse(const Bytes& bytes) {
  auto text = bytes;
  text.back() = '\0';
  BulkRequest request;
  char word[16] = "";
  if (std::sscanf(text.data(), "%15s %" SCNu64 " %" SCNu64 " %lf", word, &request.seed,
                  &request.size, &request.rate) != 4 ||
      !(request.rate > 0)) {
    return std::nullopt;
  }
  if (std::strcmp(word, "download") == 0) {
    request.direction = Direction::download;
  } else if (std::strcmp(word, "upload") == 0) {
    request.direction = Direction::upload;
  } else {
    return std::nullopt;
  }
  return request;
}

}  // namespace holdfast::bench
