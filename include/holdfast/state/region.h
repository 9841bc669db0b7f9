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
  // Room for `connections_per_thread` records for each of `threads`, all free.
  [[nodiscard]] static Result<Region> create(unsigned threads, unsigned connections_per_thread);

  Region(Region&& other) noexcept;
  Region& operator=(Region&&) = delete;
  ~Region();

  [[nodiscard]] SharedState& shared() const { return *shared_; }
  [[nodiscard]] std::span<ConnectionRecord> records(unsigned thread) const;

 private:
  Region(Fd memory, void* address, std::size_t size, unsigned connections_per_thread);

  Fd memory_;
  SharedState* shared_;
  std::size_t size_;
  unsigned connections_per_thread_;
};

}  // namespace holdfast::state
