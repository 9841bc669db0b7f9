#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "holdfast/health/checker.h"
#include "holdfast/loop/mailbox.h"
#include "holdfast/worker/worker.h"
#include "worker/data_plane.h"

namespace holdfast::worker {

// Puts a changed configuration file in force, one request at a time. The file is read and judged,
// and names are resolved, on a thread of its own, since name servers may take their time; then
// everything that can fail is made ready; only then is anything changed. Control thread.
class Reload {
 public:
  Reload(loop::Loop& loop, std::string file, Config config, DataPlane& plane,
         health::Checker& checker, state::SharedState& shared, const WorkerEvents& events,
         Log& log);
  ~Reload();
  Reload(const Reload&) = delete;

  // `done` is called on this thread when it is over, or never when the worker ends before.
  void request(ReloadDone done);

  // What is in force.
  [[nodiscard]] const Config& config() const { return config_; }

 private:
  // What comes of a file before it is applied.
  struct Candidate {
    std::string text = {};
    std::optional<Config> config = std::nullopt;  // nothing: `messages` says why
    std::string messages = {};                    // as `check` prints them
    Answers answers = {};
  };
  // How the reading thread, which can't be interrupted, finds its way back, or that there is none.
  struct Return {
    std::mutex mutex;
    loop::Mailbox* mailbox = nullptr;  // guarded by mutex
  };

  [[nodiscard]] static Candidate read(const std::string& file,
                                      const std::map<std::string, SocketAddress>& known);
  void begin();
  void finish(const Candidate& candidate);
  [[nodiscard]] Result<void> apply(const Candidate& candidate);
  void report(const ReloadResult& result);

  std::string file_;
  Config config_;
  DataPlane& plane_;
  health::Checker& checker_;
  state::SharedState& shared_;
  const WorkerEvents& events_;
  Log& log_;
  loop::Mailbox mailbox_;
  std::shared_ptr<Return> return_ = std::make_shared<Return>();
  bool reading_ = false;
  std::vector<ReloadDone> asked_;    // for the run that is under way
  std::vector<ReloadDone> waiting_;  // for the next: the file may have changed since it was read
};

}  // namespace holdfast::worker
