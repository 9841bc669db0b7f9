#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "cli/adopt.h"
#include "cli/balancer.h"
#include "cli/commands.h"
#include "cli/instance_process.h"
#include "holdfast/admin/instance_lock.h"
#include "holdfast/base/memory_file.h"
#include "holdfast/config/load.h"
#include "holdfast/guardian/guardian.h"
#include "holdfast/state/region.h"
#include "holdfast/worker/worker.h"

namespace holdfast::cli {
namespace {

int refuse(const Error& error) {
  std::fprintf(stderr, "holdfast: %s\n", error.message.c_str());
  return kFailed;
}

int keep_alive(bool takes_over, state::Region& region, Balancer& balancer) {
  auto guardian = guardian::Guardian::create(
      {.upgraded = balancer.upgraded(), .takes_over = takes_over}, region.shared(), balancer);
  if (!guardian) {
    return refuse(guardian.error());
  }
  balancer.keep(region.fd());
  balancer.keep(guardian->fd());
  return guardian->run();
}

// The instance lives: its descriptors came along, its configuration is the one it has in memory.
int take_over(const RunOptions& options) {
  takeover::close_descriptors_on_execute();
  auto region = state::Region::adopt(Fd(options.take_over));
  if (!region) {
    return refuse(region.error());
  }
  region->shared().supervision.leaving.set(0);
  Balancer balancer(options.config_file, own_program(), *region);
  return keep_alive(true, *region, balancer);
}

// The lock of the instance. Without a word in the configuration about its socket, the default one's
// directory may be missing or not ours: then there is none, and that is said.
Result<Fd> take_lock(const LoadedConfig& loaded) {
  const auto& socket = loaded.admin.socket;
  if (!socket) {
    return Fd();
  }
  const bool is_default = loaded.admin.socket_mark.line == 0;
  if (is_default) {
    ::mkdir(std::filesystem::path(socket->path).parent_path().c_str(), 0755);
  }
  auto lock = admin::lock_instance(socket->path);
  if (!lock && is_default) {
    std::fprintf(stderr,
                 "holdfast: warning: no control socket (%s): reload by SIGHUP, or set "
                 "admin.socket\n",
                 lock.error().message.c_str());
    return Fd();
  }
  if (!lock) {
    return fail("admin.socket: " + lock.error().message);
  }
  if (!*lock) {
    return tl::unexpected(Error{"another instance runs with the control socket " + socket->path +
                                    ": reload or upgrade that, or set another admin.socket",
                                EWOULDBLOCK});
  }
  return std::move(**lock);
}

}  // namespace

int run(const RunOptions& options) {
  if (options.take_over >= 0) {
    return take_over(options);
  }
  const auto file = std::filesystem::absolute(options.config_file).string();
  const auto text = read_config_file(file);
  const auto loaded = text ? load_new_config(*text) : LoadedConfig();
  auto lock = take_lock(loaded);
  if (!lock && lock.error().code == EWOULDBLOCK && is_started_by_systemd()) {
    auto got = adopt_or_lock(loaded.admin.socket->path);
    if (got && !*got) {
      return kFine;  // the instance that lives goes on
    }
    lock = got ? Result<Fd>(std::move(**got)) : tl::unexpected(got.error());
  }
  if (!text) {
    return refuse(text.error());
  }
  std::fputs(render(loaded.diagnostics, options.config_file, *text).c_str(), stderr);
  if (!loaded.config) {
    return kFailed;
  }
  if (!lock) {
    return refuse(lock.error());
  }
  auto region = state::Region::create(worker::most_connections());
  if (!region) {
    return refuse(region.error());
  }
  auto& shared = region->shared();
  const auto kept_text = make_memory_file("holdfast-config", *text);
  if (!kept_text) {
    return refuse(kept_text.error());
  }
  shared.config_fd.set(static_cast<std::uint32_t>(kept_text->get()));
  shared.lock_fd.set(lock->is_open() ? static_cast<std::uint32_t>(lock->get()) : 0);
  Balancer balancer(file, own_program(), *region);
  if (!options.guardian) {
    shared.supervision.generation.set(1);
    return balancer.run(0);
  }
  return keep_alive(false, *region, balancer);
}

}  // namespace holdfast::cli
