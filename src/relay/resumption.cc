#include "relay/resumption.h"

#include <algorithm>
#include <span>
#include <utility>

#include "holdfast/base/fault.h"

namespace holdfast::relay {
namespace {

// Few enough that who is served already hardly waits for them.
constexpr std::size_t kSlice = 64;

}  // namespace

Resumption::Resumption(loop::Mailbox& mailbox, Resume resume)
    : mailbox_(mailbox), resume_(std::move(resume)) {}

void Resumption::begin(std::vector<state::ConnectionRecord*> records) {
  const auto is_without_backend = [](const auto* record) {
    return record->state != state::ConnectionState::relaying;
  };
  const auto relaying = std::stable_partition(records.begin(), records.end(), is_without_backend);
  for (auto* record : std::span(relaying, records.end())) {
    left_.push_back({record, record->id});
  }
  for (auto* record : std::span(records.begin(), relaying)) {
    resume_(*record, record->id);
    HOLDFAST_FAULT_POINT(recovery_resumed);
  }
  resume_some(kSlice);
  go_on();
}

void Resumption::finish() {
  resume_some(left_.size());
}

void Resumption::resume_some(std::size_t count) {
  for (; count > 0 && !left_.empty(); --count) {
    const auto next = left_.back();
    left_.pop_back();
    resume_(*next.record, next.id);
    HOLDFAST_FAULT_POINT(recovery_resumed);
  }
}

void Resumption::go_on() {
  if (!left_.empty()) {
    mailbox_.post([this] {
      resume_some(kSlice);
      go_on();
    });
  }
}

}  // namespace holdfast::relay
