#include "health/exchange.h"

#include <algorithm>
#include <cstdlib>

#include "health/agent_line.h"
#include "health/excerpt.h"
#include "health/http_status.h"

namespace holdfast::health {
namespace {

constexpr std::size_t kLongestHttpHead = 16 * 1024;  // interim answers included
constexpr unsigned kSwitchingProtocols = 101;        // is a final answer (RFC 9110, 15.2.2)

std::string http_request(const HealthConfig& config, std::string_view host) {
  return config.method + " " + config.path +
         " HTTP/1.1\r\nHost: " + (config.host.empty() ? std::string(host) : config.host) +
         "\r\nUser-Agent: holdfast\r\nAccept: */*\r\nConnection: close\r\n\r\n";
}

std::string request_of(const HealthConfig& config, std::string_view host) {
  switch (config.type) {
    case CheckType::none:
    case CheckType::tcp:
      return {};
    case CheckType::http:
      return http_request(config, host);
    case CheckType::send_expect:
    case CheckType::agent:
      return config.send;
  }
  std::abort();
}

Answer failed(std::string reason) {
  return {.passed = false, .reason = std::move(reason)};
}

std::string answered(std::string_view bytes) {
  return "answered '" + excerpt(bytes) + "'";
}

}  // namespace

Exchange::Exchange(const HealthConfig& config, std::string_view host)
    : config_(config), request_(request_of(config, host)) {}

bool Exchange::is_needed(const HealthConfig& config) {
  return config.type != CheckType::none && config.type != CheckType::tcp;
}

std::optional<Answer> Exchange::take(std::string_view bytes) {
  received_ += bytes;
  switch (config_.type) {
    case CheckType::none:
    case CheckType::tcp:
      return Answer{.passed = true, .reason = {}};
    case CheckType::http:
      return judge_http();
    case CheckType::send_expect:
      return judge_expected();
    case CheckType::agent:
      return judge_agent(false);
  }
  std::abort();
}

Answer Exchange::end() {
  if (received_.empty()) {
    return failed("closed without an answer");
  }
  if (config_.type == CheckType::agent) {
    if (auto answer = judge_agent(true)) {
      return *answer;
    }
  }
  return failed("closed after it " + answered(received_));
}

Answer Exchange::give_up() const {
  return failed(received_.empty() ? "timeout waiting for an answer"
                                  : "timeout after it " + answered(received_));
}

std::optional<Answer> Exchange::judge_expected() {
  const auto within = std::string_view(received_).substr(0, config_.limit);
  if (within.find(config_.expect, looked_at_) != std::string_view::npos) {
    return Answer{.passed = true, .reason = {}};
  }
  if (within.size() == config_.limit) {
    return failed(answered(received_) + ", in " + std::to_string(config_.limit) +
                  " bytes not what is expected");
  }
  looked_at_ = within.size() - std::min(within.size(), config_.expect.size() - 1);
  return std::nullopt;
}

bool Exchange::is_expected(unsigned status) const {
  return std::ranges::any_of(config_.status, [status](const StatusRange& range) {
    return status >= range.first && status <= range.last;
  });
}

std::optional<Answer> Exchange::judge_http() {
  // No further, so that it comes to the same however the answer arrives in parts.
  const auto within = std::string_view(received_).substr(0, kLongestHttpHead);
  for (;;) {
    const auto rest = within.substr(looked_at_);
    const auto parsed = parse_http_status(rest);
    switch (parsed.state) {
      case HttpStatus::State::malformed:
        return failed(answered(rest) + ", which is not HTTP");
      case HttpStatus::State::incomplete:
        return wait_for_status();
      case HttpStatus::State::complete:
        break;
    }
    if (is_expected(parsed.status)) {
      return Answer{.passed = true, .reason = {}};
    }
    if (parsed.status >= 200 || parsed.status == kSwitchingProtocols) {
      return failed("answered HTTP status " + std::to_string(parsed.status));
    }
    // An interim answer; the final one follows its empty line (RFC 9110, 15.2).
    const auto end = rest.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      return wait_for_status();
    }
    looked_at_ += end + 4;
  }
}

// Not for ever: interim answers may come one after the other without end.
std::optional<Answer> Exchange::wait_for_status() const {
  return received_.size() < kLongestHttpHead
             ? std::nullopt
             : std::optional(failed("answered no final HTTP status"));
}

std::optional<Answer> Exchange::judge_agent(bool ended) {
  const auto within = std::string_view(received_).substr(0, kLongestAgentLine);
  const auto end = within.find_first_of("\r\n", looked_at_);
  if (end == std::string_view::npos && within.size() == kLongestAgentLine) {
    return failed("agent says more than a line has room for");
  }
  if (end == std::string_view::npos && !ended) {
    looked_at_ = within.size();
    return std::nullopt;
  }
  auto report = parse_agent_line(within.substr(0, end));
  if (!report) {
    return failed(report.error().message);
  }
  Answer answer{.passed = report->up.value_or(true), .reason = {}, .agent = std::move(*report)};
  answer.reason = answer.passed ? "" : answer.agent->reason;
  return answer;
}

}  // namespace holdfast::health
