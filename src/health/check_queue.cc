#include "health/check_queue.h"

#include <algorithm>

namespace holdfast::health {

bool CheckQueue::begin(std::uint16_t backend) {
  if (under_way_.contains(backend)) {
    return false;
  }
  if (under_way_.size() < limit_ && waiting_.empty()) {
    under_way_.insert(backend);
    return true;
  }
  if (std::ranges::find(waiting_, backend) == waiting_.end()) {
    waiting_.push_back(backend);
  }
  return false;
}

void CheckQueue::end(std::uint16_t backend) {
  if (under_way_.erase(backend) == 0) {
    std::erase(waiting_, backend);
  }
}

std::optional<std::uint16_t> CheckQueue::next() {
  if (waiting_.empty() || under_way_.size() >= limit_) {
    return std::nullopt;
  }
  const auto backend = waiting_.front();
  waiting_.pop_front();
  under_way_.insert(backend);
  return backend;
}

}  // namespace holdfast::health
