#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "holdfast/state/shared_state.h"

namespace holdfast::state {

// One relay thread's connection records: takes a free one, gives it back. The records are in
// shared memory and are the truth; what is here (which are free) can be read off them again.
class ConnectionTable {
 public:
  // `limit` is max_connections, over all threads.
  ConnectionTable(std::span<ConnectionRecord> records, SharedState& shared, unsigned limit);

  // A record in state `accepting`, its descriptors -1; nullptr when the limit is reached.
  [[nodiscard]] ConnectionRecord* take();

  // The record must be `closing` or still `accepting`; its descriptors are its owner's matter.
  void give_back(ConnectionRecord& record);

  // Taken records of this thread.
  [[nodiscard]] std::size_t size() const { return taken_; }

 private:
  std::span<ConnectionRecord> records_;
  SharedState& shared_;
  unsigned limit_;
  std::size_t touched_ = 0;  // records beyond were never used: their pages don't exist yet
  std::size_t taken_ = 0;
  std::uint64_t next_id_ = 1;
  std::vector<std::uint32_t> free_;  // indexes below touched_
};

}  // namespace holdfast::state
