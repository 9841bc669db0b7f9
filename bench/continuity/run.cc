#include "continuity/run.h"

#include "holdfast/base/temporary_directory.h"
#include "shared/interruptible.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kReadyLimit = 60s;
constexpr auto kLook = 20ms;

Result<void> wait_until_ready(const Crowd& crowd, Balancer& balancer) {
  const auto deadline = Clock::now() + kReadyLimit;
  while (!crowd.is_ready()) {
    if (!wait_until(Clock::now() + kLook, balancer)) {
      return fail("interrupted");
    }
    if (Clock::now() > deadline) {
      return fail(balancer.contender().name +
                  ": not everything could be established: " + balancer.last_message());
    }
  }
  return {};
}

double count(const Balancer& balancer) {
  return static_cast<double>(balancer.processes().members().size());
}

// From the moment everything is established to the moment leftovers are counted.
Result<double> disturb(const Row& row, Balancer& balancer, Crowd& crowd) {
  if (!wait_until(Clock::now() + kSettled, balancer)) {
    return fail("interrupted");
  }
  const auto before = count(balancer);
  crowd.mark(row.key);
  const auto event = Clock::now();
  if (const auto done = row.act(balancer); !done) {
    return tl::unexpected(done.error());
  }
  if (!wait_until(event + kLeftoversAfter, balancer)) {
    return fail("interrupted");
  }
  return count(balancer) - before;
}

}  // namespace

Result<Run> run_once(const Row& row, const Contender& contender, const Setting& setting) {
  const auto directory = TemporaryDirectory::make().value();
  const Site site{.services = setting.services,
                  .directory = directory.path(),
                  .mode = Site::Mode::service,
                  .control_socket = row.control_socket};
  auto installed = contender;
  if (row.control_socket) {
    installed.program = directory.file("holdfast");
    std::filesystem::copy_file(contender.program, installed.program);
    std::filesystem::copy_file(setting.next_build, next_build(site));
  }
  auto balancer = Balancer::start(installed, site);
  if (!balancer) {
    return tl::unexpected(balancer.error());
  }
  auto options = setting.crowd;
  options.idle = row.idle;
  options.target = (*balancer)->address(0);
  options.bulk_target = (*balancer)->address(1);
  auto crowd = Crowd::start(options);
  if (!crowd) {
    return tl::unexpected(crowd.error());
  }
  return wait_until_ready(**crowd, **balancer)
      .and_then([&] { return disturb(row, **balancer, **crowd); })
      .map([&](double leftover) {
        return Run{(*crowd)->finish(), leftover};
      });
}

}  // namespace holdfast::bench
