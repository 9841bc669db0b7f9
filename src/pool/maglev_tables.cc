#include "pool/maglev_tables.h"

#include <set>
#include <utility>

namespace holdfast::pool {

MaglevTables::MaglevTables(Members all, std::span<const Backend> backends, std::size_t size)
    : members(std::move(all)) {
  std::set<unsigned> tiers;
  for (const auto& backend : backends) {
    tiers.insert(backend.tier);
  }
  for (const unsigned tier : tiers) {
    auto within = members;
    for (std::size_t place = 0; place < backends.size(); ++place) {
      within[place].weight = backends[place].tier <= tier ? within[place].weight : 0;
    }
    prefixes.push_back({tier, balance::MaglevTable(within, size)});
  }
}

const balance::MaglevTable* MaglevTables::up_to(unsigned tier) const {
  const balance::MaglevTable* found = nullptr;
  for (const auto& prefix : prefixes) {
    if (prefix.tier <= tier && !prefix.table.is_empty()) {
      found = &prefix.table;
    }
  }
  return found;
}

}  // namespace holdfast::pool
