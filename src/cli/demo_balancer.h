#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "cli/child_process.h"
#include "cli/line_reader.h"
#include "cli/log_line.h"
#include "holdfast/loop/poll.h"

namespace holdfast::cli {

// The balancer as the demo runs it: this very binary as a child, its log read line by line.
// Main thread, owned by the Demo.
class DemoBalancer final : private loop::Poll::Handler {
 public:
  using OnEvent = std::function<void(const LogLine&)>;
  using OnEnd = std::function<void(int status)>;

  // Neither callback may destroy the balancer.
  [[nodiscard]] static Result<std::unique_ptr<DemoBalancer>> start(loop::Loop& loop,
                                                                   const std::string& config_file,
                                                                   OnEvent on_event, OnEnd on_end);
  // Ends it in an orderly way, then by force.
  ~DemoBalancer();
  DemoBalancer(DemoBalancer&&) = delete;

  // The guardian's, for as long as the balancer lives.
  [[nodiscard]] pid_t pid() const { return process_->pid(); }
  // The last lines it has written, for when it ends too early.
  [[nodiscard]] const std::deque<std::string>& last_lines() const { return last_lines_; }

 private:
  DemoBalancer(loop::Loop& loop, std::unique_ptr<ChildProcess> process, OnEvent on_event,
               OnEnd on_end);

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void read_lines();

  std::unique_ptr<ChildProcess> process_;
  LineReader lines_;
  OnEvent on_event_;
  OnEnd on_end_;
  std::deque<std::string> last_lines_;
  loop::Poll lines_poll_;
  loop::Poll end_poll_;
};

}  // namespace holdfast::cli
