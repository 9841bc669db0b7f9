#include "failover/row.h"

#include <algorithm>
#include <sstream>

#include "failover/draining.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

// How long a backend has its requests before it is killed with them.
constexpr auto kBusy = 20ms;

Result<void> kill_victim(Stage& stage) {
  stage.deaths.push_back(stage.victim.kill());
  return {};
}

Result<void> start_victim(Stage& stage) {
  return stage.victim.start();
}

Result<void> pause_victim(Stage& stage) {
  stage.victim.pause();
  return {};
}

Result<void> silence_victim(Stage& stage) {
  return stage.victim.host()->silence();
}

Result<void> let_victim_speak(Stage& stage) {
  return stage.victim.host()->speak();
}

Result<void> drain_victim(Stage& stage) {
  return drain(stage.balancer, stage.victim.name());
}

Result<void> make_victim_ready(Stage& stage) {
  return make_ready(stage.balancer, stage.victim.name());
}

// A second down, a second up.
std::vector<Step> flap(const Schedule& schedule) {
  std::vector<Step> steps;
  for (auto at = schedule.begins; at + 1s <= schedule.is_over; at += 2s) {
    steps.push_back({at, kill_victim});
    steps.push_back({at + 1s, start_victim});
  }
  return steps;
}

}  // namespace

std::vector<Row> all_rows(const Schedule& schedule) {
  return {
      {.key = "killed",
       .heading = "A backend is killed",
       .text = "One backend gets SIGKILL, and is started again.",
       .steps = {{schedule.begins, kill_victim}, {schedule.is_over, start_victim}},
       .has_chart = true},
      {.key = "killed_with_replay",
       .heading = "A backend is killed with requests inside",
       .text =
           "One backend stands still (SIGSTOP) for 20 ms, so that it has taken requests and not "
           "answered them, as one that needs that long for an answer; then it gets SIGKILL, and is "
           "started again. holdfast has `replay: { up_to: 16KiB }`. HAProxy's retries of requests "
           "(`retry-on`) are for HTTP mode only, and nginx's `proxy_next_upstream` ends where a "
           "TCP connection is made. The target is that no request fails.",
       .steps = {{schedule.begins - kBusy, pause_victim},
                 {schedule.begins, kill_victim},
                 {schedule.is_over, start_victim}},
       .replay = true},
      {.key = "host_silent",
       .heading = "A backend's host falls silent",
       .text =
           "Each backend has a host of its own, a network namespace. One host drops all its "
           "packets, those to it and those from it (nftables), and then no longer: nobody refuses "
           "anything. The target is that no request waits more than 150 ms beyond normal.",
       .steps = {{schedule.begins, silence_victim}, {schedule.is_over, let_victim_speak}},
       .on_hosts = true},
      {.key = "flapping",
       .heading = "A backend flaps every second",
       .text = "One backend gets SIGKILL and is started again a second later, and again and again, "
               "a second each.",
       .steps = flap(schedule)},
      {.key = "drain",
       .heading = "A backend is drained",
       .text = "One backend is taken out for maintenance and brought back: by `holdfast drain` and "
               "`holdfast ready`, by HAProxy's runtime API (`set server ... state drain`, `state "
               "ready`), and by `down` in nginx's configuration and a reload.",
       .steps = {{schedule.begins, drain_victim}, {schedule.is_over, make_victim_ready}},
       .control_socket = true},
  };
}

Result<std::vector<Row>> choose_rows(const std::string& keys, const Schedule& schedule) {
  const auto all = all_rows(schedule);
  if (keys.empty()) {
    return all;
  }
  std::vector<Row> chosen;
  std::istringstream stream(keys);
  for (std::string key; std::getline(stream, key, ',');) {
    const auto row =
        std::find_if(all.begin(), all.end(), [&](const Row& each) { return each.key == key; });
    if (row == all.end()) {
      return fail("there is no row " + key);
    }
    chosen.push_back(*row);
  }
  return chosen;
}

}  // namespace holdfast::bench
