#include "cli/balancer.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>

#include "cli/commands.h"
#include "holdfast/admin/http_server.h"
#include "holdfast/config/load.h"
#include "holdfast/guardian/notify.h"
#include "holdfast/observe/snapshot.h"
#include "holdfast/worker/worker.h"

namespace holdfast::cli {
namespace {

int refuse(const Error& error) {
  std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
  return kFailed;
}

// "12 connections, 5 of 6 backends up": what `systemctl status` shows.
std::string status_line(const state::SharedState& shared) {
  const auto snapshot = observe::take_snapshot(shared);
  std::size_t up = 0;
  std::size_t all = 0;
  for (const auto& pool : snapshot.pools) {
    for (const auto& backend : pool.backends) {
      up += backend.is_serving() ? 1 : 0;
      ++all;
    }
  }
  return std::to_string(snapshot.connections) + " connections, " + std::to_string(up) + " of " +
         std::to_string(all) + " backends up";
}

// The configuration that is in force: a successor mustn't read a file that somebody is at.
Result<std::string> read_kept_text(int fd) {
  return read_config_file("/proc/self/fd/" + std::to_string(fd));
}

}  // namespace

Balancer::Balancer(std::string file, state::Region& region)
    : file_(std::move(file)),
      region_(region),
      successor_("/proc/self/exe",
                 {"holdfast", "run", "-c", file_, "--take-over", std::to_string(region.fd())}) {}

// Nothing when there is none.
Fd Balancer::watch_guardian(Log& log) {
  const auto guardian = static_cast<pid_t>(region_.shared().supervision.guardian_pid.get());
  if (guardian == 0) {
    return {};
  }
  Fd watched(static_cast<int>(::syscall(SYS_pidfd_open, guardian, 0)));
  if (::getppid() != guardian) {
    on_guardian_gone(log);  // already; the number may be somebody else's
  }
  return watched;
}

void Balancer::on_guardian_gone(Log& log) {
  if (region_.shared().current_phase() == state::Phase::stopping) {
    return;  // it ends by itself
  }
  log.error("guardian died", {{"action", "starting another one"}});
  const int code = guardian::replace_guardian(successor_, region_.shared());
  log.error("guardian not replaced", {{"reason", error_text(code)}});
}

int Balancer::run() {
  auto& shared = region_.shared();
  const auto text = read_kept_text(static_cast<int>(shared.config_fd.get()));
  if (!text) {
    return refuse(text.error());
  }
  const auto config = load_config(*text).config;  // its warnings were shown when it was new
  if (!config) {
    return kFailed;
  }
  Log log;
  log.set_level(config->log.level);
  worker::Worker::block_signals();
  if (shared.supervision.guardian_pid.get() != 0) {
    // Ctrl-C reaches both processes; the guardian's word is what counts.
    std::signal(SIGINT, SIG_IGN);
  }
  worker::Succession succession{.takes_over = shared.supervision.generation.get() > 1,
                                .kept = kept_};
  succession.kept.insert(static_cast<int>(shared.config_fd.get()));
  auto worker = worker::Worker::create(*config, region_, succession, log);
  if (!worker) {
    return refuse(worker.error());
  }
  std::unique_ptr<admin::HttpServer> http;
  if (config->admin.http) {
    auto started =
        admin::HttpServer::start({.endpoint = *config->admin.http}, shared, HOLDFAST_VERSION, log);
    if (started) {
      http = std::move(*started);
      log.info("admin listening", {{"address", http->address().to_string()}});
    } else if (succession.takes_over) {
      // Connections come first; the address was lost to somebody in the moment between two workers.
      log.error("admin not listening", {{"reason", started.error().message}});
    } else {
      return refuse(started.error());
    }
  }
  const auto guardian = watch_guardian(log);
  (*worker)->run({
      .on_serving = [&] { guardian::notify_ready(status_line(shared)); },
      .on_stopping = [&] { guardian::notify_stopping("stopping, " + status_line(shared)); },
      .on_alive =
          [&] {
            guardian::notify_watchdog();
            guardian::notify_status(status_line(shared));
          },
      .on_guardian_gone = [&] { on_guardian_gone(log); },
      .guardian = guardian.get(),
  });
  return kFine;
}

}  // namespace holdfast::cli
