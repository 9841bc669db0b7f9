#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>

#include "holdfast/state/shared_state.h"

namespace holdfast::worker {

// Who has which entry of the shared state. A listener, pool or backend keeps the entry with its
// name over reloads and crashes, and with it health, weights, positions and counters; one that is
// configured no longer keeps it until its last connection has ended. Control thread.
class Entries {
 public:
  explicit Entries(state::SharedState& shared) : shared_(shared) {}

  // The entry with this name, else a free one, which has the name from now on, counts from 0 and
  // is retired until somebody says otherwise. Nothing when all are in use.
  [[nodiscard]] std::optional<std::uint16_t> claim_listener(std::string_view name);
  [[nodiscard]] std::optional<std::uint16_t> claim_pool(std::string_view name);
  [[nodiscard]] std::optional<std::uint16_t> claim_backend(std::uint16_t pool,
                                                           std::string_view name);

  // The entries of a pool by name: what to look many names up in.
  [[nodiscard]] std::map<std::string_view, std::uint16_t> backends_of(std::uint16_t pool) const;

  // The entry with this name, if there is one.
  [[nodiscard]] std::optional<std::uint16_t> find_pool(std::string_view pool) const;

  // Nobody uses it any more.
  void free_listener(std::uint16_t index);
  void free_pool(std::uint16_t index);
  void free_backend(std::uint16_t index);

  // Held while names change, and by other threads while they read names.
  [[nodiscard]] std::mutex& mutex() { return mutex_; }

 private:
  state::SharedState& shared_;
  std::mutex mutex_;
};

}  // namespace holdfast::worker
