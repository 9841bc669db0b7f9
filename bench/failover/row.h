#pragma once

#include <string>
#include <vector>

#include "failover/backend_process.h"
#include "shared/balancer.h"

namespace holdfast::bench {

// One balancer and its backends, while something is done to them.
struct Stage {
  Balancer& balancer;
  BackendProcess& victim;                           // the one of its backends it is done to
  std::vector<cli::InstanceProcess::Death> deaths;  // of the victim's processes, so far
};

// What happens when, counted from the first request of a run.
struct Schedule {
  double rate = 1000;                          // requests a second
  Duration begins = std::chrono::seconds(3);   // all backends run until then,
  Duration is_over = std::chrono::seconds(8);  // and from then on
  Duration end = std::chrono::seconds(12);
};

struct Step {
  Duration at;
  Result<void> (*act)(Stage& stage);
};

// What may happen to a backend: a table of the results.
struct Row {
  const char* key;      // as in --rows
  const char* heading;  // of its table
  const char* text;     // what happens, in sentences
  std::vector<Step> steps;
  bool on_hosts = false;        // each backend has a host of its own: root only
  bool replay = false;          // holdfast has `replay`
  bool control_socket = false;  // the balancer has one, as far as it knows such
  bool has_chart = false;
};

[[nodiscard]] std::vector<Row> all_rows(const Schedule& schedule);

// Those with these keys, separated by commas; all of them for an empty text.
[[nodiscard]] Result<std::vector<Row>> choose_rows(const std::string& keys,
                                                   const Schedule& schedule);

}  // namespace holdfast::bench
