#include "cli/http_response.h"

#include <algorithm>
#include <optional>

#include "cli/http_fields.h"

namespace holdfast::cli {
namespace {

constexpr std::size_t kMaxHeader = 8192;
constexpr std::size_t kMaxKept = 256;  // of the body: a name fits

// "HTTP/1.1 200 OK", RFC 9112, 4.
std::optional<int> read_status(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12 || line[8] != ' ') {
    return std::nullopt;
  }
  const auto number = parse_number(line.substr(9, 3));
  return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::optional<std::uint64_t> read_length(std::string_view header) {
  for (auto line = take_line(header); !line.empty(); line = take_line(header)) {
    const auto field = parse_field(line);
    if (field && equals_ignoring_case(field->name, "Content-Length")) {
      return parse_number(field->value);
    }
  }
  return std::nullopt;
}

}  // namespace

HttpResponse::State HttpResponse::feed(std::string_view bytes) {
  if (!in_body_) {
    text_ += bytes;
    return read_header();
  }
  const auto taken = bytes.substr(0, std::min<std::uint64_t>(bytes.size(), body_left_));
  body_left_ -= taken.size();
  text_ += taken.substr(0, kMaxKept - std::min(kMaxKept, text_.size()));
  return body_left_ == 0 ? State::complete : State::incomplete;
}

HttpResponse::State HttpResponse::read_header() {
  const auto size = header_size(text_);
  if (!size) {
    return text_.size() < kMaxHeader ? State::incomplete : State::malformed;
  }
  auto header = std::string_view(text_).substr(0, *size);
  const auto status = read_status(take_line(header));
  const auto length = read_length(header);
  if (!status || !length) {
    return State::malformed;
  }
  status_ = *status;
  body_left_ = *length;
  in_body_ = true;
  const auto body = text_.substr(*size);
  text_.clear();
  return feed(body);
}

std::string_view HttpResponse::first_body_line() const {
  auto text = std::string_view(text_);
  return take_line(text);
}

}  // namespace holdfast::cli
