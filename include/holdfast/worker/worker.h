#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "holdfast/base/log.h"
#include "holdfast/config/config.h"
#include "holdfast/state/region.h"
#include "holdfast/worker/backend_change.h"

namespace holdfast::worker {

// What happens to a worker, told on its control thread. Empty functions are not called.
struct WorkerEvents {
  std::function<void()> on_serving;
  std::function<void()> on_stopping;
  // About once a second as long as all threads turn: what a watchdog wants to hear.
  std::function<void()> on_alive;
  // The process that `guardian` (a pidfd, which is borrowed; -1: none) refers to has ended.
  std::function<void()> on_guardian_gone;
  // A changed configuration is about to be in force. An error keeps it from that.
  std::function<Result<void>(const Config&)> on_reload;
  int guardian = -1;
};

// How a request to put the configuration file in force ended.
struct ReloadResult {
  bool succeeded = false;
  bool is_too_late = false;               // it is stopping: nothing is known of the file
  std::vector<std::string> changes = {};  // a line each, as an operator would say it
  std::string messages = {};              // errors and warnings, as `check` prints them
};
using ReloadDone = std::function<void(const ReloadResult&)>;

// Where a worker stands in the line of workers that serve one region.
struct Succession {
  bool takes_over = false;  // from a worker that died and left its descriptors open
  std::set<int> kept;       // descriptors that aren't the dead worker's
};

// What a worker goes by.
struct WorkerOptions {
  Config config;     // of the file alone; what operators changed is in the region
  std::string file;  // where the configuration came from, to be read again at a reload
  Succession succession;
};

// The most connections that a process with this limit of descriptors can have: what a region is
// made for, whatever max_connections is now or later.
[[nodiscard]] unsigned most_connections();

// The whole balancer but for its admin interface: shared state, pools, checks, relay threads. The
// thread that calls run() is the control thread.
class Worker {
 public:
  // Signals that the control thread takes in run(). Block them before making any thread.
  static void block_signals();

  // Opens everything that can fail: descriptors, shared memory, listening sockets. Nothing is
  // served yet. The error says which setting to mend.
  // `region` outlives the worker.
  [[nodiscard]] static Result<std::unique_ptr<Worker>> create(const WorkerOptions& options,
                                                              state::Region& region, Log& log);
  ~Worker();
  Worker(const Worker&) = delete;

  // Serves until SIGTERM or SIGINT, then waits for connections up to shutdown_timeout; a second
  // signal ends at once. False when it has left everything as it is for a successor that was asked
  // for (SIGUSR1): the process is to end without closing anything.
  [[nodiscard]] bool run(const WorkerEvents& events);

  // Puts the configuration file in force, as SIGHUP does. From any thread; `done` is called on the
  // control thread, or destroyed uncalled when the worker ends before.
  void reload(ReloadDone done);

  // Does to a backend what an operator asks for; the same way.
  void change(const BackendChange& change, ChangeDone done);

  // Read by the admin thread, as long as the worker exists.
  [[nodiscard]] const state::SharedState& shared() const;
  // To be held while reading names in it.
  [[nodiscard]] std::mutex& entries();

 private:
  class Impl;
  explicit Worker(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace holdfast::worker
