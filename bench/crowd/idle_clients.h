#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "crowd/kept_connection.h"
#include "crowd/losses.h"
#include "crowd/options.h"
#include "holdfast/loop/timer.h"

namespace holdfast::bench {

// Many connections that do next to nothing: each is tried with one exchange when it is opened, once
// in a while, and at the end. On the loop's thread; what is atomic is for all.
class IdleClients final : private KeptConnection::Owner {
 public:
  IdleClients(loop::Loop& loop, const CrowdOptions& options);

  void start();
  // Tries all that are left.
  void finish();

  // Each has been opened, or could not be.
  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] bool is_finished() const { return finished_; }
  // Once the loop has ended.
  [[nodiscard]] Losses losses() const;

 private:
  void answered(KeptConnection& connection) override;
  void lost(KeptConnection& connection, const std::string& reason) override;
  void open_more();
  void check_some();
  void check(KeptConnection& connection);
  void time_out_overdue();
  void look_whether_done();

  CrowdOptions options_;
  std::vector<std::unique_ptr<KeptConnection>> connections_;
  loop::Timer checks_;
  loop::Timer timeouts_;
  TimePoint started_;
  std::size_t begun_ = 0;   // connections whose opening has begun
  std::size_t opened_ = 0;  // those opened, or given up
  std::uint64_t rolling_checks_ = 0;
  std::uint64_t asked_ = 0;
  bool finishing_ = false;
  Losses losses_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> finished_ = false;
};

}  // namespace holdfast::bench
