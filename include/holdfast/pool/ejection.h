#pragma once

#include "holdfast/base/clock.h"
#include "holdfast/config/config.h"
#include "holdfast/state/shared_state.h"

namespace holdfast::pool {

// Passive ejection, pure: what connections tell of a backend in, whether it is taken out or back in
// out. Failures in a row take it out, each time for one `eject_for` longer, ten times at most; each
// `eject_for` in service takes one off again. After that time a check that passes takes it back
// in, or, where there are no checks, one connection is let through as a trial and decides.

inline constexpr std::uint32_t kLongestEjection = 10;  // times eject_for

// Whether the backend is taken out by this failure. `may_eject`: enough others are left.
[[nodiscard]] bool note_failure(state::EjectionRecord& record, const PassiveConfig& config,
                                TimePoint now, bool may_eject);

// How long it is out for, once it is.
[[nodiscard]] Duration ejection_time(const state::EjectionRecord& record,
                                     const PassiveConfig& config);

// A connection got an answer. Whether the backend is back in by that; one that was ejected
// meanwhile isn't: the connection is from before.
[[nodiscard]] bool note_success(state::EjectionRecord& record, TimePoint now);

// Whether the backend is back in by a check that it passed.
[[nodiscard]] bool note_check_passed(state::EjectionRecord& record, TimePoint now);

// Checks have taken the backend out as well: from now on it is for them to say how long.
void leave_to_checks(state::EjectionRecord& record, TimePoint now);

[[nodiscard]] bool is_ejected(const state::EjectionRecord& record);

// Out for long enough; so is one on a trial that nothing was heard of for another eject_for.
[[nodiscard]] bool is_due(const state::EjectionRecord& record, TimePoint now);

// One connection is let through.
void begin_trial(state::EjectionRecord& record, const PassiveConfig& config, TimePoint now);

// As if nothing had been heard of it: its address is another one, say.
void forgive(state::EjectionRecord& record);

}  // namespace holdfast::pool
