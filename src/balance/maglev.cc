#include "holdfast/balance/maglev.h"

#include <algorithm>
#include <cassert>
#include <limits>

#include "holdfast/balance/hash.h"

namespace holdfast::balance {
namespace {

constexpr std::uint16_t kFree = std::numeric_limits<std::uint16_t>::max();

// A member on its way through the table: from `next` on in steps of `skip`, which comes to every
// entry once, since the size is prime.
struct Walker {
  std::uint16_t member;
  std::uint32_t weight;
  std::size_t next;
  std::size_t skip;
  std::uint64_t due = 0;  // has its next turn in the round in which round * weight reaches this
};

std::vector<Walker> walkers_of(std::span<const MaglevTable::Member> members, std::size_t size) {
  constexpr std::uint64_t kOffsetSeed = 1;
  constexpr std::uint64_t kSkipSeed = 2;
  std::vector<Walker> walkers;
  for (std::size_t place = 0; place < members.size(); ++place) {
    const auto& [name, weight] = members[place];
    if (weight > 0) {
      walkers.push_back({.member = static_cast<std::uint16_t>(place),
                         .weight = weight,
                         .next = hash(name, kOffsetSeed) % size,
                         .skip = hash(name, kSkipSeed) % (size - 1) + 1});
    }
  }
  std::ranges::sort(walkers, {}, [&](const Walker& walker) -> const std::string& {
    return members[walker.member].name;
  });
  return walkers;
}

}  // namespace

MaglevTable::MaglevTable(std::span<const Member> members, std::size_t size) {
  assert(members.size() < kFree && size >= 2);
  auto walkers = walkers_of(members, size);
  if (walkers.empty()) {
    return;
  }
  const std::uint64_t heaviest =
      std::ranges::max(walkers, {}, [](const Walker& walker) { return walker.weight; }).weight;
  for (auto& walker : walkers) {
    walker.due = heaviest / 2;  // the middle of its first interval: shares are rounded, not cut
  }
  entries_.assign(size, kFree);
  std::size_t filled = 0;
  for (std::uint64_t round = 1; filled < size; ++round) {
    for (auto& walker : walkers) {
      if (round * walker.weight < walker.due) {
        continue;
      }
      walker.due += heaviest;
      const auto step = [&] {
        walker.next += walker.skip;
        walker.next -= walker.next >= size ? size : 0;
      };
      while (entries_[walker.next] != kFree) {
        step();
      }
      entries_[walker.next] = walker.member;
      step();
      if (++filled == size) {
        break;
      }
    }
  }
}

}  // namespace holdfast::balance
