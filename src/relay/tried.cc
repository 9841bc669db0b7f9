#include "relay/tried.h"

#include <algorithm>
#include <cassert>

namespace holdfast::relay {
namespace {

std::uint8_t bit(std::size_t place) {
  return static_cast<std::uint8_t>(1U << place);
}

}  // namespace

std::span<const std::uint16_t> tried(const state::ConnectionRecord& record) {
  return std::span(record.tried).first(record.attempts);
}

Backends failed(const state::ConnectionRecord& record) {
  Backends backends;
  for (std::size_t place = 0; place < record.attempts; ++place) {
    if ((record.failed & bit(place)) != 0) {
      backends.add(record.tried[place]);
    }
  }
  return backends;
}

void note_tried(state::ConnectionRecord& record, std::uint16_t backend) {
  assert(record.attempts < state::kMaxAttempts);
  record.tried[record.attempts] = backend;
  record.failed &= static_cast<std::uint8_t>(~bit(record.attempts));
  ++record.attempts;
}

void note_failed(state::ConnectionRecord& record, std::uint16_t backend) {
  for (std::size_t place = 0; place < record.attempts; ++place) {
    if (record.tried[place] == backend) {
      record.failed |= bit(place);
    }
  }
}

void forget_all_but_failed(state::ConnectionRecord& record) {
  const auto kept = failed(record);
  std::size_t place = 0;
  for (const auto backend : kept.all()) {
    record.tried[place] = backend;
    record.failed |= bit(place);
    ++place;
  }
  record.attempts = static_cast<std::uint8_t>(place);
}

}  // namespace holdfast::relay
