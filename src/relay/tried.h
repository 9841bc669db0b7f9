#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "holdfast/state/connection_record.h"

namespace holdfast::relay {

// The backends that a connection's record says were tried, and which of them failed the client:
// didn't connect, or were gone before their first byte. One that only lost a race didn't: when all
// others have been tried, it may be tried again.

// Some of them, as they were when it was asked.
class Backends {
 public:
  void add(std::uint16_t backend) { backends_[size_++] = backend; }
  [[nodiscard]] std::span<const std::uint16_t> all() const {
    return std::span(backends_).first(size_);
  }

 private:
  std::array<std::uint16_t, state::kMaxAttempts> backends_{};
  std::size_t size_ = 0;
};

[[nodiscard]] std::span<const std::uint16_t> tried(const state::ConnectionRecord& record);
[[nodiscard]] Backends failed(const state::ConnectionRecord& record);

// The record has room for it: its attempts are below kMaxAttempts.
void note_tried(state::ConnectionRecord& record, std::uint16_t backend);
// Of one that was tried.
void note_failed(state::ConnectionRecord& record, std::uint16_t backend);

// What was under way when a worker died counts neither as tried nor as an attempt. May be done
// again by whoever finds it half done.
void forget_all_but_failed(state::ConnectionRecord& record);

}  // namespace holdfast::relay
