#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "cli/alarm.h"
#include "crowd/kept_connection.h"
#include "crowd/losses.h"
#include "crowd/options.h"
#include "crowd/waits.h"
#include "holdfast/loop/timer.h"

namespace holdfast::bench {

// Clients that ask at a steady pace, each over one connection. Who loses it opens another and asks
// again: a request counts as waiting from when it was due until its answer, whatever that took. On
// the loop's thread; what is atomic is for all.
class BusyClients final : private KeptConnection::Owner {
 public:
  [[nodiscard]] static Result<std::unique_ptr<BusyClients>> make(loop::Loop& loop,
                                                                 const CrowdOptions& options);

  void start();
  // Lets every request that is under way have its answer.
  void finish();

  [[nodiscard]] bool is_ready() const { return ready_; }
  [[nodiscard]] bool is_finished() const { return finished_; }

  // Once the loop has ended.
  [[nodiscard]] Losses losses() const;
  [[nodiscard]] const WaitsOfClients& waits() const { return waits_; }
  [[nodiscard]] std::uint64_t failed_requests() const { return failed_requests_; }

 private:
  struct Client {
    std::unique_ptr<KeptConnection> connection;
    TimePoint due;     // of the request under way, or of the next one
    TimePoint act_at;  // nothing to do before, unless an answer comes
    TimePoint sent;    // when it was first asked
    bool under_way = false;
    std::uint64_t asked = 0;
  };

  BusyClients(loop::Loop& loop, const CrowdOptions& options);

  void answered(KeptConnection& connection) override;
  void lost(KeptConnection& connection, const std::string& reason) override;
  void act();
  void ask(Client& client);
  void set_alarm();
  void time_out_overdue();
  void look_whether_done();

  CrowdOptions options_;
  std::vector<Client> clients_;
  WaitsOfClients waits_;
  std::unique_ptr<cli::Alarm> alarm_;
  loop::Timer timeouts_;
  bool acting_ = false;
  bool finishing_ = false;
  std::uint64_t failed_requests_ = 0;  // whose connection was lost under them
  Losses losses_;
  std::atomic<bool> ready_ = false;
  std::atomic<bool> finished_ = false;
};

}  // namespace holdfast::bench
