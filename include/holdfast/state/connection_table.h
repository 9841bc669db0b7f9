#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "holdfast/state/shared_state.h"

namespace holdfast::state {

// One relay thread's connection records: takes a free one, gives it back. The records are in
// shared memory and are the truth; what is here (which are free) is read off them by a worker that
// takes them over.
class ConnectionTable {
 public:
  // `limit` is max_connections, over all threads. Records that are live stay taken; the others are
  // freed.
  ConnectionTable(std::span<ConnectionRecord> records, SharedState& shared, ThreadState& thread,
                  unsigned limit);

  void set_limit(unsigned limit) { limit_ = limit; }

  // A record in state `accepting`, its descriptors -1; nullptr when the limit is reached.
  [[nodiscard]] ConnectionRecord* take();

  // The record must be `closing` or still `accepting`; its descriptors are its owner's matter.
  void give_back(ConnectionRecord& record);

  // Those that a worker before this one left.
  [[nodiscard]] std::vector<ConnectionRecord*> live() const;

  [[nodiscard]] std::uint32_t index(const ConnectionRecord& record) const;

 private:
  std::span<ConnectionRecord> records_;
  SharedState& shared_;
  ThreadState& thread_;
  unsigned limit_;
  std::vector<std::uint32_t> free_;  // indexes below thread_.touched
};

}  // namespace holdfast::state
