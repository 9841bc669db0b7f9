#include "worker/reload.h"

#include <filesystem>
#include <sstream>
#include <system_error>
#include <thread>
#include <utility>

#include "holdfast/base/memory_file.h"
#include "holdfast/config/diff.h"
#include "holdfast/config/load.h"

namespace holdfast::worker {
namespace {

constexpr std::size_t kLongestReason = 180;  // that an event has room for

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

}  // namespace

Reload::Reload(loop::Loop& loop, std::string file, Config config, DataPlane& plane,
               health::Checker& checker, state::SharedState& shared, const WorkerEvents& events,
               Log& log)
    : file_(std::move(file)),
      config_(std::move(config)),
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
  waiting_.push_back(std::move(done));
  if (!reading_) {
    begin();
  }
}

void Reload::begin() {
  reading_ = true;
  asked_ = std::exchange(waiting_, {});
  auto known = known_addresses(config_, plane_.entries(), shared_);
  try {
    std::thread([this, file = file_, known = std::move(known), way_back = return_] {
      auto candidate = std::make_shared<Candidate>(read(file, known));
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

Reload::Candidate Reload::read(const std::string& file,
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
  auto loaded = load_config(*text);
  candidate.messages = render(loaded.diagnostics, file, *text);
  candidate.text = std::move(*text);
  candidate.config = std::move(loaded.config);
  if (candidate.config) {
    candidate.answers = resolve_names(*candidate.config);
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
  ReloadResult result{.messages = candidate.messages};
  if (candidate.config && shared_.current_phase() != state::Phase::serving) {
    result.messages += "holdfast is stopping\n";
  } else if (candidate.config) {
    const auto changes = diff(config_, *candidate.config);
    const auto applied = apply(candidate);
    result.succeeded = applied.has_value();
    if (applied) {
      result.changes = changes;
    } else {
      result.messages += applied.error().message + "\n";
    }
  }
  report(result);
  for (const auto& done : std::exchange(asked_, {})) {
    done(result);
  }
  reading_ = false;
  if (!waiting_.empty()) {
    begin();
  }
}

Result<void> Reload::apply(const Candidate& candidate) {
  const auto& config = *candidate.config;
  auto staged = plane_.stage(config, candidate.answers);
  if (!staged) {
    return tl::unexpected(staged.error());
  }
  auto text = make_memory_file("holdfast-config", candidate.text);
  if (!text) {
    plane_.discard(*staged);
    return tl::unexpected(text.error());
  }
  if (events_.on_reload) {
    if (auto taken = events_.on_reload(config); !taken) {
      plane_.discard(*staged);
      return taken;
    }
  }
  // From here on nothing fails, and a worker that dies is followed by one that goes by this text.
  const Fd before(static_cast<int>(shared_.config_fd.get()));
  shared_.config_fd.set(static_cast<std::uint32_t>(text->release()));
  config_ = config;
  shared_.supervision.watchdog.set(static_cast<std::uint32_t>(config.watchdog.count()));
  plane_.commit(*staged);
  checker_.watch(plane_.topology().pools);
  log_.set_level(config.log.level);
  return {};
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
