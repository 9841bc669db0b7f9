#include "health/agent_line.h"

#include <algorithm>
#include <charconv>

#include "health/excerpt.h"

namespace holdfast::health {
namespace {

using state::AgentState;

constexpr std::string_view kBetweenWords = " \t,";
constexpr std::string_view kConnectionLimit = "maxconn:";

struct CheckWord {
  std::string_view text;
  bool up;
};
constexpr CheckWord kCheckWords[] = {
    {"up", true}, {"down", false}, {"fail", false}, {"failed", false}, {"stopped", false}};

struct WishWord {
  std::string_view text;
  AgentState wish;
};
constexpr WishWord kWishWords[] = {
    {"ready", AgentState::ready}, {"drain", AgentState::drain}, {"maint", AgentState::maint}};

std::optional<unsigned> parse_number(std::string_view digits, unsigned most) {
  unsigned number = 0;
  const auto* end = digits.data() + digits.size();
  const auto [stopped, error] = std::from_chars(digits.data(), end, number);
  return error == std::errc() && stopped == end && number <= most ? std::optional(number)
                                                                  : std::nullopt;
}

// HAProxy takes words in any case too.
std::string in_lower_case(std::string_view word) {
  std::string text(word);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

// False when it is no word of the protocol.
bool take(std::string_view word, AgentReport& report) {
  for (const auto& known : kCheckWords) {
    if (word == known.text) {
      report.up = known.up;
      report.reason = "agent says " + std::string(word);
      return true;
    }
  }
  for (const auto& known : kWishWords) {
    if (word == known.text) {
      report.wish = known.wish;
      return true;
    }
  }
  if (word.ends_with('%')) {
    const auto percent = parse_number(word.substr(0, word.size() - 1), kMostAgentPercent);
    report.weight_percent = percent ? percent : report.weight_percent;
    return percent.has_value();
  }
  return word.starts_with(kConnectionLimit) &&
         parse_number(word.substr(kConnectionLimit.size()), ~0U).has_value();
}

}  // namespace

Result<AgentReport> parse_agent_line(std::string_view line) {
  AgentReport report;
  const auto hash = line.find('#');
  auto words = line.substr(0, hash);
  bool says_something = false;
  while (!words.empty()) {
    const auto word = words.substr(0, words.find_first_of(kBetweenWords));
    words.remove_prefix(std::min(word.size() + 1, words.size()));
    if (word.empty()) {
      continue;
    }
    says_something = true;
    if (!take(in_lower_case(word), report)) {
      return fail("agent says '" + excerpt(word) + "', which isn't understood");
    }
  }
  if (!says_something) {
    return fail("agent says nothing");
  }
  const auto description = hash == std::string_view::npos ? "" : excerpt(line.substr(hash + 1));
  if (!description.empty()) {
    report.reason += (report.reason.empty() ? "agent says " : ": ") + description;
  }
  return report;
}

}  // namespace holdfast::health
