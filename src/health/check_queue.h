#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>

namespace holdfast::health {

// Which backends' checks may run: so many at a time, the others wait in the order in which they
// came. Pure. Control thread.
class CheckQueue {
 public:
  explicit CheckQueue(std::size_t limit) : limit_(limit) {}

  // From the next one on; those under way stay.
  void set_limit(std::size_t limit) { limit_ = limit; }

  // Whether the backend's check may begin now; else it waits in line, unless it is under way.
  [[nodiscard]] bool begin(std::uint16_t backend);
  // Its check is over, or not wanted any more.
  void end(std::uint16_t backend);
  // Whose turn has come, under way from now on. Ask until there is none.
  [[nodiscard]] std::optional<std::uint16_t> next();

  [[nodiscard]] std::size_t under_way() const { return under_way_.size(); }
  [[nodiscard]] std::size_t waiting() const { return waiting_.size(); }

 private:
  std::size_t limit_;
  std::set<std::uint16_t> under_way_;
  std::deque<std::uint16_t> waiting_;
};

}  // namespace holdfast::health
