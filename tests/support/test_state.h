#pragma once

#include <cstdint>
#include <string_view>

#include "holdfast/state/region.h"

namespace holdfast::testing {

// A shared state as a worker would have laid it out, to count in and to look at.
class TestState {
 public:
  explicit TestState(unsigned threads = 1);

  void add_listener(std::string_view name);
  void add_pool(std::string_view name);
  // To the pool added last, up and with weight 1; its index.
  std::size_t add_backend(std::string_view name);
  void set_health(std::size_t backend, state::Health health);
  void set_phase(state::Phase phase);

  [[nodiscard]] state::SharedState& shared() const { return region_.shared(); }
  [[nodiscard]] state::ThreadState& thread(unsigned index) const {
    return shared().per_thread[index];
  }

 private:
  state::Region region_;
  std::size_t listeners_ = 0;
  std::size_t pools_ = 0;
  std::size_t backends_ = 0;
};

}  // namespace holdfast::testing
