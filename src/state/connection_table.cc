#include "holdfast/state/connection_table.h"

#include <cassert>

namespace holdfast::state {

ConnectionTable::ConnectionTable(std::span<ConnectionRecord> records, SharedState& shared,
                                 unsigned limit)
    : records_(records), shared_(shared), limit_(limit) {}

ConnectionRecord* ConnectionTable::take() {
  // Count first, then look: two threads can't both take the last place.
  if (shared_.connections.increment() > limit_) {
    shared_.connections.decrement();
    return nullptr;
  }
  std::size_t index = 0;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    assert(touched_ < records_.size() && "a thread has room for the whole limit");
    index = touched_++;
  }
  auto& record = records_[index];
  record = ConnectionRecord{};
  record.id = next_id_++;
  record.state = ConnectionState::accepting;
  ++taken_;
  return &record;
}

void ConnectionTable::give_back(ConnectionRecord& record) {
  assert(record.state == ConnectionState::closing || record.state == ConnectionState::accepting);
  assert(&record >= records_.data() && &record < records_.data() + records_.size());
  record.state = ConnectionState::free;
  free_.push_back(static_cast<std::uint32_t>(&record - records_.data()));
  --taken_;
  shared_.connections.decrement();
}

}  // namespace holdfast::state
