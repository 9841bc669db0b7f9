#include "holdfast/state/connection_table.h"

#include <algorithm>
#include <cassert>

#include "holdfast/base/fault.h"

namespace holdfast::state {

ConnectionTable::ConnectionTable(std::span<ConnectionRecord> records, SharedState& shared,
                                 ThreadState& thread, unsigned limit)
    : records_(records), shared_(shared), thread_(thread), limit_(limit) {
  const auto touched = std::min<std::size_t>(thread_.touched.get(), records_.size());
  for (std::size_t index = touched; index-- > 0;) {
    if (!is_live(records_[index])) {
      records_[index].state = ConnectionState::free;
      free_.push_back(static_cast<std::uint32_t>(index));
    }
  }
}

std::vector<ConnectionRecord*> ConnectionTable::live() const {
  std::vector<ConnectionRecord*> live;
  const auto touched = std::min<std::size_t>(thread_.touched.get(), records_.size());
  for (auto& record : records_.first(touched)) {
    if (is_live(record)) {
      live.push_back(&record);
    }
  }
  return live;
}

ConnectionRecord* ConnectionTable::take() {
  // Count first, then look: two threads can't both take the last place.
  if (shared_.connections.increment() > limit_) {
    shared_.connections.decrement();
    return nullptr;
  }
  HOLDFAST_FAULT_POINT(table_counted);
  std::uint32_t index = 0;
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
  } else {
    index = thread_.touched.get();
    assert(index < records_.size() && "a thread has room for the whole limit");
    thread_.touched.set(index + 1);
  }
  HOLDFAST_FAULT_POINT(table_index_taken);
  auto& record = records_[index];
  record = ConnectionRecord{};
  HOLDFAST_FAULT_POINT(table_record_cleared);
  thread_.last_id.add(1);
  record.id = thread_.last_id.get();
  record.state = ConnectionState::accepting;
  HOLDFAST_FAULT_POINT(table_record_ready);
  return &record;
}

void ConnectionTable::give_back(ConnectionRecord& record) {
  assert(record.state == ConnectionState::closing || record.state == ConnectionState::accepting);
  record.state = ConnectionState::free;
  HOLDFAST_FAULT_POINT(table_record_freed);
  free_.push_back(index(record));
  shared_.connections.decrement();
}

std::uint32_t ConnectionTable::index(const ConnectionRecord& record) const {
  assert(&record >= records_.data() && &record < records_.data() + records_.size());
  return static_cast<std::uint32_t>(&record - records_.data());
}

}  // namespace holdfast::state
