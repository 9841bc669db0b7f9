#include "worker/reload.h"

#include <cerrno>
#include <filesystem>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/memory_file.h"
#include "holdfast/config/diff.h"
#include "holdfast/config/load.h"

namespace holdfast::worker {
namespace {

constexpr std::size_t kLongestReason = 180;  // that an event has room for
constexpr std::string_view kIsStopping = "holdfast is stopping";

// The lines that say what is wrong, without the source lines and the help around them. All lines
// when it wasn't the file's text that was wrong.
std::vector<std::string> errors_in(const std::string& messages) {
  std::vector<std::string> errors;
  std::vector<std::string> all;
  std::istringstream lines(messages);
  for (std::string line; std::getline(lines, line);) {
    all.push_back(line);
    if (line.find(": error: ") != std::string::npos) {
      errors.push_back(line);
    }
  }
  return errors.empty() ? all : errors;
}

// What is wrong with a file that is right by itself. It may have no line: what was added at run
// time has none.
std::string explain(const Diagnostics& diagnostics, const std::string& file) {
  std::string text;
  for (const auto& one : diagnostics) {
    const bool is_error = one.severity == Diagnostic::Severity::error;
    text += file + (is_error ? ": error: " : ": warning: ") +
            "with what was added and removed at run time, " + one.message +
            "\nhelp: " + (one.help.empty() ? "" : one.help + "; or ") +
            "take back what doesn't fit: holdfast remove\n";
  }
  return text;
}

}  // namespace

Reload::Reload(loop::Loop& loop, std::string file, Config file_config, ChangedConfig in_force,
               DataPlane& plane, health::Checker& checker, state::SharedState& shared,
               const WorkerEvents& events, Log& log)
    : file_(std::move(file)),
      file_config_(std::move(file_config)),
      in_force_(std::move(in_force)),
      plane_(plane),
      checker_(checker),
      shared_(shared),
      events_(events),
      log_(log),
      mailbox_(loop) {
  return_->mailbox = &mailbox_;
}

Reload::~Reload() {
  const std::lock_guard lock(return_->mutex);
  return_->mailbox = nullptr;
}

void Reload::request(ReloadDone done) {
  // One reading serves all who ask before it begins; the file may have changed since an earlier
  // one.
  const bool may_join = jobs_.size() > (is_busy_ ? 1 : 0) && !jobs_.back().change;
  if (!may_join) {
    jobs_.emplace_back();
  }
  jobs_.back().asked.push_back(std::move(done));
  begin();
}

void Reload::request(const BackendChange& change, ChangeDone done) {
  jobs_.push_back({.change = change, .asked = {}, .change_asked = std::move(done)});
  begin();
}

void Reload::begin() {
  if (is_busy_ || jobs_.empty()) {
    return;
  }
  is_busy_ = true;
  const auto& change = jobs_.front().change;
  std::optional<Candidate> edited;
  if (change) {
    auto candidate = edit(*change);
    if (!candidate) {
      finish({.messages = candidate.error().message, .code = candidate.error().code});
      return;
    }
    edited = std::move(*candidate);
  }
  auto known = known_addresses(in_force_.config, plane_.entries(), shared_);
  try {
    std::thread([this, file = file_, changes = in_force_.changes, edited = std::move(edited),
                 known = std::move(known), way_back = return_] {
      auto candidate = std::make_shared<Candidate>(edited ? *edited : read(file, changes, known));
      if (edited) {
        // What is known stays known: name servers that take their time hold up no removal.
        candidate->answers = resolve_names(candidate->changed.config, known);
      }
      const std::lock_guard lock(way_back->mutex);
      if (way_back->mailbox != nullptr) {
        way_back->mailbox->post([this, candidate] { finish(*candidate); });
      }
    }).detach();
  } catch (const std::system_error& error) {
    mailbox_.post([this, code = error.code().value()] {
      finish({.messages = system_error("cannot start a thread", code).message + "\n"});
    });
  }
}

// The configuration in force with one change more.
Result<Reload::Candidate> Reload::edit(const BackendChange& change) const {
  const ChangeOrigin origin{.by = std::string(state::to_view(state::to_author(change.by))),
                            .at = static_cast<std::int64_t>(wall_clock_seconds() * 1000)};
  Result<RunTimeChanges> changes;
  if (change.kind == BackendChange::Kind::add) {
    const auto address = Endpoint::parse(change.address);
    if (!address) {
      return tl::unexpected(
          Error{"'" + change.address + "' is no address: " + address.error().message, EINVAL});
    }
    changes = add_backend(file_config_, in_force_.changes,
                          {.pool = change.pool,
                           .name = change.backend,
                           .address = *address,
                           .weight = change.weight,
                           .tier = change.tier,
                           .max_connections = change.max_connections,
                           .origin = origin});
  } else {
    changes = remove_backend(file_config_, in_force_.changes, change.pool, change.backend, origin);
  }
  return changes.map([this](const RunTimeChanges& all) {
    return Candidate{.file_config = file_config_, .changed = with_changes(file_config_, all)};
  });
}

Reload::Candidate Reload::read(const std::string& file, const RunTimeChanges& changes,
                               const std::map<std::string, SocketAddress>& known) {
  Candidate candidate;
  std::error_code unknown;
  if (std::filesystem::is_fifo(file, unknown)) {
    // Opening it would wait for somebody who writes (fifo(7)), and every later reload with it.
    candidate.messages = file + " is a pipe, which can't be read again: run with a file instead\n";
    return candidate;
  }
  auto text = read_config_file(file);
  if (!text) {
    candidate.messages = text.error().message + "\n";
    return candidate;
  }
  auto loaded = load_new_config(*text);
  candidate.messages = render(loaded.diagnostics, file, *text);
  candidate.text = std::move(*text);
  candidate.file_config = std::move(loaded.config);
  if (candidate.file_config) {
    candidate.changed = with_changes(*candidate.file_config, changes);
    const auto found = diagnose(*candidate.file_config, candidate.changed);
    candidate.messages += explain(found, file);
    if (has_errors(found)) {
      candidate.file_config.reset();
      return candidate;
    }
    candidate.answers = resolve_names(candidate.changed.config);
    // A name server that is out of order takes away nothing that was had before.
    for (auto& [name, answer] : candidate.answers) {
      if (const auto before = known.find(name); !answer && before != known.end()) {
        answer = before->second;
      }
    }
  }
  return candidate;
}

void Reload::finish(const Candidate& candidate) {
  const auto job = std::move(jobs_.front());
  const char* line_end = job.change ? "" : "\n";
  ReloadResult result{.messages = candidate.messages};
  int code = candidate.code;
  if (candidate.file_config && shared_.current_phase() != state::Phase::serving) {
    result.messages += std::string(kIsStopping) + line_end;
    code = EAGAIN;
    result.is_too_late = true;
  } else if (candidate.file_config) {
    const auto changes = diff(in_force_.config, candidate.changed.config);
    const auto applied = apply(candidate);
    result.succeeded = applied.has_value();
    if (applied) {
      result.changes = changes;
      for (const auto& note :
           candidate.text ? candidate.changed.notes : std::vector<std::string>{}) {
        result.messages += "holdfast: " + note + "\n";
      }
    } else {
      result.messages += applied.error().message + line_end;
    }
  }
  end(job, result, code);
  jobs_.pop_front();
  is_busy_ = false;
  begin();
}

void Reload::end(const Job& job, const ReloadResult& result, int code) {
  if (!job.change) {
    if (result.is_too_late) {
      // Nobody's mistake, and said once: `holdfast reload` goes on asking for some seconds.
      if (!std::exchange(was_too_late_, true)) {
        log_.info("reload not done", {{"reason", kIsStopping}});
      }
    } else {
      report(result);
    }
    for (const auto& done : job.asked) {
      done(result);
    }
    return;
  }
  if (result.succeeded) {
    if (!result.changes.empty()) {
      report(*job.change);
    }
    job.change_asked(result.changes);
  } else {
    job.change_asked(tl::unexpected(Error{result.messages, code != 0 ? code : EINVAL}));
  }
}

Result<void> Reload::apply(const Candidate& candidate) {
  const auto& config = candidate.changed.config;
  auto staged = plane_.stage(config, candidate.answers);
  if (!staged) {
    return tl::unexpected(staged.error());
  }
  Result<Fd> text = Fd();
  if (candidate.text) {
    text = make_memory_file("holdfast-config", *candidate.text);
  }
  Result<Fd> changes = Fd();
  if (candidate.changed.changes != RunTimeChanges{}) {
    changes = make_memory_file("holdfast-changes", to_text(candidate.changed.changes));
  }
  if (!text || !changes) {
    plane_.discard(*staged);
    return tl::unexpected(text ? changes.error() : text.error());
  }
  if (events_.on_reload) {
    if (auto taken = events_.on_reload(config); !taken) {
      plane_.discard(*staged);
      return taken;
    }
  }
  // From here on nothing fails, and a worker that dies is followed by one that goes by this text.
  // One that dies between the two applies the changes to another file than they were applied to,
  // and comes to the same, since the file overrules them by what it says alone.
  if (text->is_open()) {
    const Fd before(static_cast<int>(shared_.config_fd.get()));
    shared_.config_fd.set(static_cast<std::uint32_t>(text->release()));
  }
  HOLDFAST_FAULT_POINT(reload_text_in_force);
  const auto changes_before = shared_.changes_fd.get();
  shared_.changes_fd.set(changes->is_open() ? static_cast<std::uint32_t>(changes->release()) : 0);
  HOLDFAST_FAULT_POINT(reload_changes_in_force);
  const Fd closed(changes_before == 0 ? -1 : static_cast<int>(changes_before));
  file_config_ = *candidate.file_config;
  in_force_ = candidate.changed;
  shared_.supervision.watchdog.set(static_cast<std::uint32_t>(config.watchdog.count()));
  plane_.commit(*staged);
  checker_.set_limit(config.max_checks);
  checker_.watch(plane_.topology().pools);
  log_.set_level(config.log.level);
  return {};
}

void Reload::report(const BackendChange& change) {
  const bool is_added = change.kind == BackendChange::Kind::add;
  const auto by = state::to_author(change.by);
  shared_.events.write(
      is_added ? state::EventKind::backend_added : state::EventKind::backend_removed,
      {{"pool", change.pool}, {"backend", change.backend}, {"by", state::to_view(by)}});
  log_.info(is_added ? "backend added" : "backend removed",
            {{"pool", change.pool}, {"backend", change.backend}, {"by", state::to_view(by)}});
}

void Reload::report(const ReloadResult& result) {
  auto& reloads = shared_.reloads;
  (result.succeeded ? reloads.succeeded : reloads.failed).add(1);
  reloads.last_failed.set(result.succeeded ? 0 : 1);
  if (!result.succeeded) {
    const auto errors = errors_in(result.messages);
    const auto first = errors.empty() ? "" : errors.front().substr(0, kLongestReason);
    shared_.events.write(state::EventKind::reload_failed, {{"reason", first}});
    for (const auto& reason : errors) {
      log_.error("reload failed", {{"reason", reason}});
    }
    return;
  }
  for (const auto& change : result.changes) {
    log_.info("changed", {{"what", change}});
  }
  shared_.events.write(state::EventKind::reloaded, {{"changes", result.changes.size()}});
  log_.info("reloaded", {{"file", file_}, {"changes", result.changes.size()}});
}

}  // namespace holdfast::worker
