#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "holdfast/state/counter.h"

namespace holdfast::state {

// What operators have made of a backend while it runs, in its entry of the shared region: it stays
// over reloads, crashes and upgrades.

enum class AdminState : std::uint8_t {
  ready,
  drain,  // no new connections, those it has go on
  maint,  // the same, and no checks
};
inline constexpr std::size_t kAdminStates = 3;

[[nodiscard]] std::string_view to_string(AdminState state);

// Who did it, as told by whoever asked; ends with NUL.
using Author = std::array<char, 32>;
// Cut to what has room, everything but printable ASCII replaced.
[[nodiscard]] Author to_author(std::string_view text);
[[nodiscard]] std::string_view to_view(const Author& author);

// That the backend's connections are to be closed, not all at once.
struct ClosingRecord {
  Counter begins_at;  // nanoseconds of the monotonic clock, written last; 0: they run on
  Counter spread;     // nanoseconds from the first to the last
  Gauge cause;        // CloseCause

  [[nodiscard]] bool is_set() const { return begins_at.get() != 0; }
};

// Written by the control thread.
struct AdminRecord {
  Gauge state;              // AdminState; relay threads read it
  Gauge weight_is_set;      // 1: the entry's weight is an operator's
  Gauge configured_weight;  // of the file, when it was last put in force
  Counter set_at;           // milliseconds since 1970; 0: nobody has set anything
  Author set_by{};          // changes under Worker::entries(), like names
  ClosingRecord closing;

  // As if nobody had ever said anything.
  void clear();

  [[nodiscard]] AdminState current_state() const;
  [[nodiscard]] bool is_ready() const { return current_state() == AdminState::ready; }
};

}  // namespace holdfast::state
