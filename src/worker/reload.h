#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "holdfast/config/run_time_changes.h"
#include "holdfast/health/checker.h"
#include "holdfast/loop/mailbox.h"
#include "holdfast/worker/backend_change.h"
#include "holdfast/worker/worker.h"
#include "worker/data_plane.h"

namespace holdfast::worker {

// Puts a changed configuration in force, one request at a time: that of the file, or of a backend
// that an operator adds or removes. The file is read and judged, and names are resolved, on a
// thread of its own, since name servers may take their time; then everything that can fail is made
// ready; only then is anything changed. Control thread.
class Reload {
 public:
  // `in_force`: what there is now, of a file whose own configuration is `file_config`.
  Reload(loop::Loop& loop, std::string file, Config file_config, ChangedConfig in_force,
         DataPlane& plane, health::Checker& checker, state::SharedState& shared,
         const WorkerEvents& events, Log& log);
  ~Reload();
  Reload(const Reload&) = delete;

  // `done` is called on this thread when it is over, or never when the worker ends before.
  void request(ReloadDone done);
  // The same for add and remove.
  void request(const BackendChange& change, ChangeDone done);

  // What is in force.
  [[nodiscard]] const Config& config() const { return in_force_.config; }

 private:
  struct Job {
    std::optional<BackendChange> change;  // nothing: the file
    std::vector<ReloadDone> asked;
    ChangeDone change_asked;
  };
  // What is to be in force, before it is applied.
  struct Candidate {
    std::optional<std::string> text = std::nullopt;    // of the file, if that was read
    std::optional<Config> file_config = std::nullopt;  // nothing: `messages` says why
    ChangedConfig changed = {};
    std::string messages = {};  // as `check` prints them
    int code = 0;               // of what is wrong with a change
    Answers answers = {};
  };
  // How the reading thread, which can't be interrupted, finds its way back, or that there is none.
  struct Return {
    std::mutex mutex;
    loop::Mailbox* mailbox = nullptr;  // guarded by mutex
  };

  [[nodiscard]] static Candidate read(const std::string& file, const RunTimeChanges& changes,
                                      const std::map<std::string, SocketAddress>& known);
  [[nodiscard]] Result<Candidate> edit(const BackendChange& change) const;
  void begin();
  void finish(const Candidate& candidate);
  [[nodiscard]] Result<void> apply(const Candidate& candidate);
  void end(const Job& job, const ReloadResult& result, int code);
  void report(const ReloadResult& result);
  void report(const BackendChange& change);

  std::string file_;
  Config file_config_;
  ChangedConfig in_force_;
  DataPlane& plane_;
  health::Checker& checker_;
  state::SharedState& shared_;
  const WorkerEvents& events_;
  Log& log_;
  loop::Mailbox mailbox_;
  std::shared_ptr<Return> return_ = std::make_shared<Return>();
  bool is_busy_ = false;  // with the first of them
  bool was_too_late_ = false;
  std::deque<Job> jobs_;
};

}  // namespace holdfast::worker
