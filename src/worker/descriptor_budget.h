#pragma once

#include <cstddef>
#include <optional>

#include "holdfast/base/result.h"

namespace holdfast::worker {

// How the descriptors of the process are shared out: two for every connection, two for every pipe,
// some for everything else (scar 4).
struct DescriptorBudget {
  unsigned max_connections = 0;
  std::size_t pipes = 0;
};

struct DescriptorNeeds {
  std::size_t limit = 0;                    // RLIMIT_NOFILE
  std::size_t threads = 1;                  // relay threads
  std::size_t listening_sockets = 0;        // over all threads
  std::size_t backends = 0;                 // each may have a check under way
  std::optional<unsigned> max_connections;  // as configured; nothing: what fits
};

// Pure. Left to itself it gives four fifths of what is left to connections and the rest to pipes.
// An error says what would be needed and how to get it.
[[nodiscard]] Result<DescriptorBudget> plan_descriptors(const DescriptorNeeds& needs);

// Raises the soft limit of descriptors to the hard one and returns it.
[[nodiscard]] std::size_t raise_descriptor_limit();

}  // namespace holdfast::worker
