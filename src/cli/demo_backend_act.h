#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/demo_schedule.h"
#include "cli/demo_screen.h"
#include "cli/instance_process.h"
#include "cli/log_line.h"
#include "holdfast/loop/timer.h"

namespace holdfast::cli {

// The demo's first act: a backend is killed and started again, and the balancer's log says when it
// noticed. Main thread, owned by the Demo.
class BackendAct {
 public:
  // How many connections have been retried on another backend so far, as far as that is known.
  using Failovers = std::function<std::optional<std::uint64_t>()>;
  using OnTrouble = std::function<void(const std::string& reason)>;

  // All of them outlive the act.
  BackendAct(loop::Loop& loop, DemoScreen& screen, InstanceProcess& victim, Failovers failovers,
             OnTrouble on_trouble);

  // The schedule's beginning is now.
  void begin(const DemoSchedule& schedule);
  // The balancer's log says that a backend went up or down.
  void on_backend_event(const LogLine& event, bool up);
  // Says what the log did not.
  void summarize();

  [[nodiscard]] const std::optional<InstanceProcess::Death>& death() const { return death_; }

 private:
  void kill_it();
  void revive_it();
  void on_down(const LogLine& event);
  void on_up(const LogLine& event);

  DemoScreen& screen_;
  InstanceProcess& victim_;
  Failovers failovers_;
  OnTrouble on_trouble_;
  std::optional<InstanceProcess::Death> death_;
  bool noticed_ = false;
  std::optional<TimePoint> revived_;
  bool is_back_ = false;
  loop::Timer kill_;
  loop::Timer revive_;
};

}  // namespace holdfast::cli
