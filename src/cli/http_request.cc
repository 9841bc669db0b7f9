#include "cli/http_request.h"

#include <algorithm>
#include <optional>

#include "cli/http_fields.h"

namespace holdfast::cli {
namespace {

bool is_visible(char c) {
  return c > ' ' && c < '\x7f';
}

// The first bytes can still become "METHOD target".
bool may_become_request(std::string_view input) {
  const auto method = input.substr(0, input.find(' '));
  return method.empty() ? input.empty() : is_token(method);
}

HttpRequest::Method to_method(std::string_view word) {
  if (word == "GET") {
    return HttpRequest::Method::get;
  }
  return word == "HEAD" ? HttpRequest::Method::head : HttpRequest::Method::other;
}

// "GET / HTTP/1.1", RFC 9112, 3.
bool read_request_line(std::string_view line, HttpRequest& request) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || !is_token(line.substr(0, first))) {
    return false;
  }
  const auto target = line.substr(first + 1, last - first - 1);
  const auto version = line.substr(last + 1);
  if (target.empty() || !std::all_of(target.begin(), target.end(), is_visible) ||
      (version != "HTTP/1.1" && version != "HTTP/1.0")) {
    return false;
  }
  request.method = to_method(line.substr(0, first));
  request.target = std::string(target);
  request.keep_alive = version == "HTTP/1.1";
  return true;
}

bool read_field(std::string_view line, HttpRequest& request) {
  const auto field = parse_field(line);
  if (!field) {
    return false;
  }
  if (equals_ignoring_case(field->name, "Connection")) {
    if (lists_option(field->value, "close")) {
      request.keep_alive = false;
    } else if (lists_option(field->value, "keep-alive")) {
      request.keep_alive = true;
    }
  } else if (equals_ignoring_case(field->name, "Content-Length")) {
    const auto length = parse_number(field->value);
    request.has_body |= length != 0;
    return length.has_value();
  } else if (equals_ignoring_case(field->name, "Transfer-Encoding")) {
    request.has_body = true;
  }
  return true;
}

}  // namespace

ParsedRequest parse_request(std::string_view input) {
  using State = ParsedRequest::State;
  ParsedRequest parsed;
  // Empty lines before a request are to be ignored (RFC 9112, 2.2).
  const auto begin = std::min(input.find_first_not_of("\r\n"), input.size());
  input.remove_prefix(begin);
  if (!may_become_request(input)) {
    parsed.state = State::malformed;
    return parsed;
  }
  const auto size = header_size(input);
  if (!size) {
    parsed.state = begin + input.size() < kMaxRequestHeader ? State::incomplete : State::too_large;
    return parsed;
  }
  parsed.request.size = begin + *size;
  if (parsed.request.size > kMaxRequestHeader) {
    parsed.state = State::too_large;
    return parsed;
  }
  auto header = input.substr(0, *size);
  bool sound = read_request_line(take_line(header), parsed.request);
  for (auto line = take_line(header); sound && !line.empty(); line = take_line(header)) {
    sound = read_field(line, parsed.request);
  }
  parsed.state = sound ? State::complete : State::malformed;
  return parsed;
}

}  // namespace holdfast::cli
