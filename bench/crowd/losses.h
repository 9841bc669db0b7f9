#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace holdfast::bench {

// What became of the connections of one kind. One thread's own until that is over.
struct Losses {
  std::uint64_t opened = 0;      // that were established, one after the other included
  std::uint64_t lost = 0;        // of those
  std::uint64_t not_opened = 0;  // attempts that failed before
  std::uint64_t wrong_bytes = 0;
  std::map<std::string, std::uint64_t> reasons;  // why, of lost and not opened ones

  void add(bool established, const std::string& reason) {
    ++(established ? lost : not_opened);
    ++reasons[reason];
  }
};

}  // namespace holdfast::bench
