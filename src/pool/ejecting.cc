// What a pool makes of connections that fail: see pool/ejection.
#include <algorithm>

#include "holdfast/pool/candidacy.h"
#include "holdfast/pool/ejection.h"
#include "holdfast/pool/pool.h"

namespace holdfast::pool {

bool Pool::is_in_use(std::uint16_t backend) const {
  const auto& state = shared_.backends[backend];
  return is_admitted(state) && (is_healthy(state) || reach().panics);
}

// What no check and no connection speaks against. Where nobody checks, whoever has been out for
// long enough gets a connection to try it by.
bool Pool::is_healthy(const state::BackendEntry& state) const {
  return pool::is_healthy(state) &&
         (!config_.passive.is_on || !is_ejected(state.ejection) ||
          (config_.health.type == CheckType::none && is_due(state.ejection, Clock::now())));
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
  const std::lock_guard lock(common_->mutex);
  auto& ejection = shared_.backends[backend].ejection;
  if (!note_failure(ejection, config_.passive, now, may_eject(backend))) {
    return std::nullopt;
  }
  serve();  // a higher tier may come into use by that
  return ejection_time(ejection, config_.passive);
}

bool Pool::report_success(std::uint16_t backend) {
  auto& ejection = shared_.backends[backend].ejection;
  // Without the lock as long as nothing was ever wrong, which is nearly always.
  if (ejection.failures.get() == 0 && !is_ejected(ejection)) {
    return false;
  }
  const std::lock_guard lock(common_->mutex);
  const auto now = Clock::now();
  return note_success(ejection, now) && welcome_back(backend, now);
}

bool Pool::report_check_passed(std::uint16_t backend, TimePoint now) {
  auto& ejection = shared_.backends[backend].ejection;
  if (!is_ejected(ejection)) {
    return false;
  }
  const std::lock_guard lock(common_->mutex);
  return note_check_passed(ejection, now) && welcome_back(backend, now);
}

// It begins slowly, with those who have been waiting for it.
bool Pool::welcome_back(std::uint16_t backend, TimePoint now) {
  shared_.backends[backend].came_back_at.set(static_cast<std::uint64_t>(to_nanoseconds(now)));
  serve();
  return true;
}

void Pool::report_down(std::uint16_t backend, TimePoint now) {
  const std::lock_guard lock(common_->mutex);
  leave_to_checks(shared_.backends[backend].ejection, now);
}

bool Pool::is_check_due(std::uint16_t backend, TimePoint now) const {
  return config_.passive.is_on && is_due(shared_.backends[backend].ejection, now);
}

}  // namespace holdfast::pool
