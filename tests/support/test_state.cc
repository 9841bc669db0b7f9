#include "support/test_state.h"

namespace holdfast::testing {

TestState::TestState(unsigned threads) : region_(state::Region::create(1).value()) {
  shared().threads.set(threads);
}

void TestState::add_listener(std::string_view name) {
  shared().listeners[listeners_++].name = state::to_name(name);
  shared().listeners_touched.set(static_cast<std::uint32_t>(listeners_));
}

void TestState::add_pool(std::string_view name) {
  shared().pools[pools_++].name = state::to_name(name);
  shared().pools_touched.set(static_cast<std::uint32_t>(pools_));
}

std::size_t TestState::add_backend(std::string_view name) {
  auto& entry = shared().backends[backends_];
  entry.name = state::to_name(name);
  entry.pool = static_cast<std::uint16_t>(pools_ - 1);
  entry.weight.set(1);
  shared().backends_touched.set(static_cast<std::uint32_t>(backends_ + 1));
  set_health(backends_, state::Health::up);
  return backends_++;
}

void TestState::set_health(std::size_t backend, state::Health health) {
  shared().backends[backend].published_health.set(static_cast<std::uint32_t>(health));
}

void TestState::set_phase(state::Phase phase) {
  shared().phase.set(static_cast<std::uint32_t>(phase));
}

}  // namespace holdfast::testing
