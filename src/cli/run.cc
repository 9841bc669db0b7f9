#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "cli/balancer.h"
#include "cli/commands.h"
#include "cli/configuration.h"
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

// The text that is in force, where no editor can get at it.
Result<Fd> keep_text(const std::string& text) {
  Fd file(::memfd_create("holdfast-config", MFD_CLOEXEC));
  if (!file.is_open() ||
      ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail("cannot keep the configuration in memory", errno);
  }
  return file;
}

int keep_alive(const Config& config, state::Region& region, Balancer& balancer) {
  auto guardian =
      guardian::Guardian::create({.watchdog = config.watchdog}, region.shared(), balancer);
  if (!guardian) {
    return refuse(guardian.error());
  }
  balancer.keep(region.fd());
  balancer.keep(guardian->fd());
  return guardian->run();
}

// The instance lives: its descriptors came along, its configuration is the one it has in memory.
int take_over(const RunOptions& options) {
  auto region = state::Region::adopt(Fd(options.take_over));
  if (!region) {
    return refuse(region.error());
  }
  const auto text =
      read_config_file("/proc/self/fd/" + std::to_string(region->shared().config_fd.get()));
  const auto config = text ? load_config(*text).config : std::nullopt;
  Balancer balancer(options.config_file, *region);
  return keep_alive(config.value_or(Config()), *region, balancer);
}

}  // namespace

int run(const RunOptions& options) {
  if (options.take_over >= 0) {
    return take_over(options);
  }
  const auto text = read_config_file(options.config_file);
  if (!text) {
    return refuse(text.error());
  }
  const auto config = judge_configuration(*text, options.config_file);
  if (!config) {
    return kFailed;
  }
  auto region = state::Region::create(worker::most_connections());
  if (!region) {
    return refuse(region.error());
  }
  const auto kept_text = keep_text(*text);
  if (!kept_text) {
    return refuse(kept_text.error());
  }
  region->shared().config_fd.set(static_cast<std::uint32_t>(kept_text->get()));
  Balancer balancer(options.config_file, *region);
  if (!options.guardian) {
    region->shared().supervision.generation.set(1);
    return balancer.run();
  }
  return keep_alive(*config, *region, balancer);
}

}  // namespace holdfast::cli
