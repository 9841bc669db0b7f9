#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace holdfast::balance {

// Maglev's consistent hashing (Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load
// Balancer", NSDI 2016, section 3.4): every backend goes through the table in an order of its own,
// in turn with the others, and takes the next free entry. All have about the same number of
// entries, and when one leaves, few entries change hands besides its own.
//
// A backend's order comes from its name, and ties are settled by name: the same names and weights
// give the same table on every machine, wherever they stand in the file and whatever addresses
// they have at the moment. A value; building it takes milliseconds, so not on a relay thread.
class MaglevTable {
 public:
  struct Member {
    std::string name;
    std::uint32_t weight = 1;  // 0: gets no entries

    bool operator==(const Member&) const = default;
  };

  // `size` is prime. Names are different from one another.
  MaglevTable(std::span<const Member> members, std::size_t size);

  // No member has a weight.
  [[nodiscard]] bool is_empty() const { return entries_.empty(); }
  [[nodiscard]] std::size_t size() const { return entries_.size(); }

  // The member, by its place among those given, whose entry this client's hash comes to, or the
  // one `further` entries on.
  [[nodiscard]] std::size_t at(std::uint64_t client, std::size_t further = 0) const {
    return entries_[(client % entries_.size() + further) % entries_.size()];
  }

 private:
  std::vector<std::uint16_t> entries_;
};

}  // namespace holdfast::balance
