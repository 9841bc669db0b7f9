#include "failover/host.h"

#include <sched.h>
#include <unistd.h>

#include <cerrno>

#include "failover/private_network.h"
#include "shared/command.h"

namespace holdfast::bench {
namespace {

constexpr const char* kNsenter = "/usr/bin/nsenter";
constexpr const char* kNft = "/usr/sbin/nft";

// IP only. ARP goes on, as it does where there is a router in between.
constexpr const char* kSilence = R"(table inet silence {
  chain in { type filter hook input priority 0; policy drop; iif lo accept
  }
  chain out { type filter hook output priority 0; policy drop; oif lo accept
  }
}
)";

}  // namespace

Result<std::unique_ptr<Host>> Host::make(unsigned number) {
  const auto ours = open_own_network();
  if (!ours.is_open() || ::unshare(CLONE_NEWNET) != 0) {
    return fail("cannot make a network", errno);
  }
  auto theirs = open_own_network();
  if (::setns(ours.get(), CLONE_NEWNET) != 0 || !theirs.is_open()) {
    return fail("cannot return to the own network", errno);
  }
  const auto address = "10.77." + std::to_string(number) + ".2";
  std::unique_ptr<Host> host(new Host(address, std::move(theirs)));
  if (auto done = host->plug_in(number); !done) {
    return tl::unexpected(done.error());
  }
  return host;
}

std::string Host::path() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(network_.get());
}

std::vector<std::string> Host::before() const {
  return {kNsenter, "--net=" + path()};
}

Result<void> Host::plug_in(unsigned number) const {
  const auto subnet = "10.77." + std::to_string(number);
  const auto interface = "to-" + std::to_string(number);
  const auto inside = before()[0] + " " + before()[1] + " ip ";
  return run_script("set -e\nip link add " + interface + " type veth peer name eth0 netns " +
                    path() + "\nip address add " + subnet + ".1/24 dev " + interface +
                    "\nip link set " + interface + " up\n" + inside + "link set lo up\n" + inside +
                    "address add " + address_ + "/24 dev eth0\n" + inside + "link set eth0 up\n" +
                    inside + "route add default via " + subnet + ".1\n");
}

Result<void> Host::silence() const {
  auto command = before();
  command.insert(command.end(), {kNft, kSilence});
  return run_command(std::move(command));
}

Result<void> Host::speak() const {
  auto command = before();
  command.insert(command.end(), {kNft, "delete table inet silence"});
  return run_command(std::move(command));
}

std::string why_no_hosts() {
  if (::geteuid() != 0) {
    return "only root can make hosts (network namespaces)";
  }
  for (const auto* program : {kNsenter, kNft}) {
    if (::access(program, X_OK) != 0) {
      return std::string(program) + " is not there";
    }
  }
  const auto network = PrivateNetwork::enter();
  return network ? "" : network.error().message;
}

}  // namespace holdfast::bench
