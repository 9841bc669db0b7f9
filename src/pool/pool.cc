#include "holdfast/pool/pool.h"

#include <algorithm>

#include "holdfast/pool/ejection.h"

namespace holdfast::pool {

Pool::Pool(const PoolConfig& config, std::uint16_t index, std::vector<Backend> backends,
           state::SharedState& shared, const Pool* predecessor)
    : config_(config),
      index_(index),
      backends_(std::move(backends)),
      shared_(shared),
      mutex_(predecessor != nullptr ? predecessor->mutex_ : std::make_shared<std::mutex>()),
      racing_(predecessor != nullptr ? predecessor->racing_ : std::make_shared<Racing>()) {
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
  auto& state = entry(*backend);
  if (config_.passive.is_on && is_ejected(state.ejection)) {
    begin_trial(state.ejection, config_.passive, Clock::now());
  }
  state.active.increment();
  return backend;
}

std::size_t Pool::serving() const {
  return static_cast<std::size_t>(std::ranges::count_if(
      backends_, [this](const Backend& backend) { return is_serving(backend); }));
}

bool Pool::is_serving(const Backend& backend) const {
  const auto& state = entry(backend);
  return backend.address && state.current_health() != state::Health::down &&
         state.weight.get() > 0 && is_admitted(state.ejection);
}

bool Pool::is_serving(std::uint16_t backend) const {
  const auto place = std::ranges::find(backends_, backend, &Backend::index);
  return place != backends_.end() && is_serving(*place);
}

// Where nobody checks, whoever has been out for long enough gets a connection to try it by.
bool Pool::is_admitted(const state::EjectionRecord& ejection) const {
  return !config_.passive.is_on || !is_ejected(ejection) ||
         (config_.health.type == CheckType::none && is_due(ejection, Clock::now()));
}

// One may always be ejected as long as another one serves.
bool Pool::may_eject(std::uint16_t backend) const {
  const auto out = std::ranges::count_if(
      backends_, [this](const Backend& one) { return is_ejected(entry(one).ejection); });
  const auto most = std::max<std::size_t>(1, backends_.size() * config_.passive.max_ejected / 100);
  return static_cast<std::size_t>(out) < most &&
         std::ranges::any_of(backends_, [&](const Backend& one) {
           return one.index != backend && is_serving(one);
         });
}

std::optional<Duration> Pool::report_failure(std::uint16_t backend, TimePoint now) {
  if (!config_.passive.is_on) {
    return std::nullopt;
  }
  const std::lock_guard lock(*mutex_);
  auto& ejection = shared_.backends[backend].ejection;
  if (!note_failure(ejection, config_.passive, now, may_eject(backend))) {
    return std::nullopt;
  }
  return ejection_time(ejection, config_.passive);
}

bool Pool::report_success(std::uint16_t backend) {
  auto& ejection = shared_.backends[backend].ejection;
  // Without the lock as long as nothing was ever wrong, which is nearly always.
  if (ejection.failures.get() == 0 && !is_ejected(ejection)) {
    return false;
  }
  const std::lock_guard lock(*mutex_);
  return note_success(ejection, Clock::now());
}

bool Pool::report_check_passed(std::uint16_t backend, TimePoint now) {
  auto& ejection = shared_.backends[backend].ejection;
  if (!is_ejected(ejection)) {
    return false;
  }
  const std::lock_guard lock(*mutex_);
  return note_check_passed(ejection, now);
}

bool Pool::is_check_due(std::uint16_t backend, TimePoint now) const {
  return config_.passive.is_on && is_due(shared_.backends[backend].ejection, now);
}

}  // namespace holdfast::pool
