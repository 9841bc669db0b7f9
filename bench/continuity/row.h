#pragma once

#include <string>
#include <vector>

#include "shared/balancer.h"

namespace holdfast::bench {

// What may be done to a balancer, and to which: a row of the table.
struct Row {
  const char* key;        // as in --rows
  const char* contender;  // by name
  const char* event;      // in words
  // Does it. Where a command does it, returns when that has ended.
  Result<void> (*act)(Balancer& balancer);
  bool control_socket = false;  // it needs holdfast's
  std::size_t idle = 2000;      // connections besides the busy ones
};

[[nodiscard]] const std::vector<Row>& all_rows();

// Those with these keys, separated by commas; all of them for an empty text.
[[nodiscard]] Result<std::vector<Row>> choose_rows(const std::string& keys);

// The file that an upgrade of holdfast installs in place of the running program's. The program of
// such a row is a copy, in the site's directory.
[[nodiscard]] std::filesystem::path next_build(const Site& site);

}  // namespace holdfast::bench
