#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "holdfast/base/clock.h"
#include "holdfast/base/result.h"

namespace holdfast::worker {

// What an operator asks for on one backend of a running instance.
struct BackendChange {
  enum class Kind : std::uint8_t { ready, drain, maint, weight, add, remove };

  Kind kind = Kind::ready;
  std::string pool;
  std::string backend;
  std::string by = "api";        // who asks, in his own words
  unsigned weight = 1;           // weight, add
  std::string address = {};      // add
  unsigned tier = 0;             // add
  unsigned max_connections = 0;  // add; 0: no limit
  // drain, maint: when to begin to close what connections are left then, and over what time.
  // Nothing: they run on to their end, or the time that suits.
  std::optional<Duration> close_after = std::nullopt;
  std::optional<Duration> spread = std::nullopt;
};

// What changed, a line each, as an operator would say it. An error's code tells its kind: ENOENT
// for what isn't there, EEXIST for what is in the way, EINVAL for what can't be, EAGAIN for not
// now.
using ChangeResult = Result<std::vector<std::string>>;
using ChangeDone = std::function<void(const ChangeResult&)>;

}  // namespace holdfast::worker
