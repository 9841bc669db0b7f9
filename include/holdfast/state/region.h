#pragma once

#include <span>

#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::state {

// Owns the shared memory: a memfd(2) mapped for as long as this lives. Pages are the kernel's
// until somebody touches them.
class Region {
 public:
  // Room for `connections_per_thread` records for each of kMaxThreads, all free.
  [[nodiscard]] static Result<Region> create(unsigned connections_per_thread);

  // What another process made and left, as the memfd that it is. The error says why it can't be
  // understood; the memfd is closed then.
  [[nodiscard]] static Result<Region> adopt(Fd memory);

  Region(Region&& other) noexcept;
  Region& operator=(Region&&) = delete;
  ~Region();

  [[nodiscard]] SharedState& shared() const { return *shared_; }
  [[nodiscard]] std::span<ConnectionRecord> records(unsigned thread) const;
  [[nodiscard]] int fd() const { return memory_.get(); }

 private:
  Region(Fd memory, void* address, std::size_t size);
  [[nodiscard]] static Result<Region> map(Fd memory, std::size_t size);

  Fd memory_;
  SharedState* shared_;
  std::size_t size_;
};

}  // namespace holdfast::state
