#pragma once

#include <span>
#include <vector>

#include "holdfast/balance/maglev.h"
#include "holdfast/pool/pool.h"

namespace holdfast::pool {

// The tables of one pool, for what its tiers may come to: the lowest alone, the two lowest, and so
// on. Backends that are down stay in them and are passed over, so that a table changes with the
// configuration only, and one that comes back finds exactly its clients again. A value.
struct MaglevTables {
  using Members = std::vector<balance::MaglevTable::Member>;

  // `members`: of the backends, in their order.
  MaglevTables(Members members, std::span<const Backend> backends, std::size_t size);

  // Of the backends in these tiers; nullptr when none of them has an entry.
  [[nodiscard]] const balance::MaglevTable* up_to(unsigned tier) const;

  struct Prefix {
    unsigned tier;  // these and all below
    balance::MaglevTable table;
  };
  Members members;
  std::vector<Prefix> prefixes;
};

}  // namespace holdfast::pool
