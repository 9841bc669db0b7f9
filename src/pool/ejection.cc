#include "holdfast/pool/ejection.h"

#include <algorithm>

namespace holdfast::pool {
namespace {

using state::EjectionRecord;
using state::EjectionState;

void set_state(EjectionRecord& record, EjectionState state) {
  record.state.set(static_cast<std::uint32_t>(state));
}

std::uint64_t moment(TimePoint at) {
  return static_cast<std::uint64_t>(to_nanoseconds(at));
}

TimePoint moment(const state::Counter& at) {
  return from_nanoseconds(static_cast<std::int64_t>(at.get()));
}

// What is left of the ejections in a row after the time in service since the last one.
std::uint32_t remembered(const EjectionRecord& record, const PassiveConfig& config, TimePoint now) {
  const auto quiet = (now - moment(record.readmitted_at)) / Duration(config.eject_for);
  return static_cast<std::uint32_t>(
      std::clamp<std::int64_t>(std::int64_t{record.times.get()} - quiet, 0, kLongestEjection));
}

void eject(EjectionRecord& record, const PassiveConfig& config, TimePoint now,
           std::uint32_t before) {
  record.times.set(std::min(before + 1, kLongestEjection));
  record.until.set(moment(now + ejection_time(record, config)));
  record.failures.set(0);
  record.total.add(1);
  set_state(record, EjectionState::ejected);
}

void readmit(EjectionRecord& record, TimePoint now) {
  record.failures.set(0);
  record.readmitted_at.set(moment(now));
  set_state(record, EjectionState::none);
}

}  // namespace

bool note_failure(EjectionRecord& record, const PassiveConfig& config, TimePoint now,
                  bool may_eject) {
  switch (record.current()) {
    case EjectionState::none:
      record.failures.set(std::min(record.failures.get() + 1, config.failures));
      if (record.failures.get() < config.failures || !may_eject) {
        return false;
      }
      eject(record, config, now, remembered(record, config, now));
      return true;
    case EjectionState::ejected:
      return false;  // a connection from before
    case EjectionState::on_trial:
      eject(record, config, now, record.times.get());
      return true;
  }
  return false;  // what a broken worker left there
}

Duration ejection_time(const EjectionRecord& record, const PassiveConfig& config) {
  return Duration(config.eject_for) * record.times.get();
}

bool note_success(EjectionRecord& record, TimePoint now) {
  switch (record.current()) {
    case EjectionState::none:
      record.failures.set(0);
      return false;
    case EjectionState::ejected:
      return false;
    case EjectionState::on_trial:
      readmit(record, now);
      return true;
  }
  return false;
}

bool note_check_passed(EjectionRecord& record, TimePoint now) {
  if (!is_due(record, now)) {
    return false;
  }
  readmit(record, now);
  return true;
}

void leave_to_checks(EjectionRecord& record, TimePoint now) {
  if (is_ejected(record)) {
    record.until.set(std::min(record.until.get(), moment(now)));
  }
}

bool is_ejected(const EjectionRecord& record) {
  return record.current() != EjectionState::none;
}

bool is_due(const EjectionRecord& record, TimePoint now) {
  return is_ejected(record) && now >= moment(record.until);
}

void begin_trial(EjectionRecord& record, const PassiveConfig& config, TimePoint now) {
  record.until.set(moment(now + Duration(config.eject_for)));
  set_state(record, EjectionState::on_trial);
}

void forgive(EjectionRecord& record) {
  set_state(record, EjectionState::none);
  record.failures.set(0);
  record.times.set(0);
}

}  // namespace holdfast::pool
