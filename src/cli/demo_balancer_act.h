#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/child_process.h"
#include "cli/control_client.h"
#include "cli/demo_schedule.h"
#include "cli/demo_screen.h"
#include "cli/established_connections.h"
#include "cli/log_line.h"
#include "holdfast/loop/poll.h"
#include "holdfast/loop/timer.h"

namespace holdfast::cli {

// The demo's second act: connections are opened through the balancer, its worker is killed again
// and again, then the balancer is upgraded, and each of the connections is to have lived through
// it. What is late holds up what comes after it. Main thread, owned by the Demo.
class BalancerAct final : private loop::Poll::Handler {
 public:
  struct Options {
    SocketAddress target = {};   // where the balancer listens
    std::string control_socket;  // of the balancer
    pid_t guardian = 0;          // whose child the worker is
  };
  // The act is over.
  using OnDone = std::function<void()>;
  using OnTrouble = std::function<void(const std::string& reason)>;

  // The screen outlives the act. No callback may destroy it.
  BalancerAct(loop::Loop& loop, DemoScreen& screen, Options options, OnDone on_done,
              OnTrouble on_trouble);

  // The schedule's beginning is now.
  void begin(const DemoSchedule& schedule);
  // The balancer's log says that a worker took over.
  void on_take_over(const LogLine& event);
  // What has become of the connections; whether none was lost.
  bool summarize();
  // They may be closed now.
  void close_connections() { connections_.reset(); }

 private:
  using Step = void (BalancerAct::*)();

  // A step at a time. Not before `due`, nor before what a worker needs to live.
  void go_on_with(Step step, Duration due);
  void take_step();
  void open_connections();
  void kill_worker();
  void after_a_death();
  void upgrade();
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void on_upgrade_end(int status);
  // Nothing while there is none that serves.
  [[nodiscard]] std::optional<pid_t> serving_worker() const;

  loop::Loop& loop_;
  DemoScreen& screen_;
  Options options_;
  OnDone on_done_;
  OnTrouble on_trouble_;
  DemoSchedule schedule_{};
  ControlClient control_;
  Step step_ = nullptr;
  int deaths_ = 0;
  bool is_dying_ = false;
  std::unique_ptr<EstablishedConnections> connections_;
  std::unique_ptr<ChildProcess> upgrade_;
  std::unique_ptr<loop::Poll> upgrade_end_;
  loop::Timer step_timer_;
  loop::Timer take_over_limit_;
};

}  // namespace holdfast::cli
