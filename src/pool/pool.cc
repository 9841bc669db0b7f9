#include "holdfast/pool/pool.h"

#include <algorithm>

namespace holdfast::pool {

Pool::Pool(const PoolConfig& config, std::uint16_t index, std::vector<Backend> backends,
           state::SharedState& shared, const Pool* predecessor)
    : config_(config),
      index_(index),
      backends_(std::move(backends)),
      shared_(shared),
      mutex_(predecessor != nullptr ? predecessor->mutex_ : std::make_shared<std::mutex>()) {
  candidates_.reserve(backends_.size());
  candidate_backends_.reserve(backends_.size());
}

const Backend* Pool::pick(std::span<const std::uint16_t> tried) {
  const std::lock_guard lock(*mutex_);
  candidates_.clear();
  candidate_backends_.clear();
  for (const auto& backend : backends_) {
    if (!is_serving(backend) || std::ranges::find(tried, backend.index) != tried.end()) {
      continue;
    }
    auto& state = entry(backend);
    candidates_.push_back({state.weight.get(), state.active.get(), &state.turn});
    candidate_backends_.push_back(&backend);
  }
  const auto picked = balance::pick(config_.balance, candidates_);
  if (!picked) {
    return nullptr;
  }
  const Backend* backend = candidate_backends_[*picked];
  entry(*backend).active.increment();
  return backend;
}

std::size_t Pool::serving() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      backends_, [this](const Backend& backend) { return is_serving(backend); }));
}

bool Pool::is_serving(const Backend& backend) const {
  const auto& state = entry(backend);
  return backend.address && state.current_health() != state::Health::down && state.weight.get() > 0 &&
         state.admin.is_ready();
}

}  // namespace holdfast::pool
