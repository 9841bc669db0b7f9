#include "failover/private_network.h"

#include <fcntl.h>
#include <sched.h>

#include <cerrno>

#include "shared/command.h"

namespace holdfast::bench {

Fd open_own_network() {
  return Fd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

Result<std::unique_ptr<PrivateNetwork>> PrivateNetwork::enter() {
  auto before = open_own_network();
  if (!before.is_open()) {
    return fail("cannot open the own network", errno);
  }
  if (::unshare(CLONE_NEWNET) != 0) {
    return fail("cannot make a network", errno);
  }
  std::unique_ptr<PrivateNetwork> network(new PrivateNetwork(std::move(before)));
  if (auto up = run_script("ip link set lo up"); !up) {
    return tl::unexpected(up.error());
  }
  return network;
}

PrivateNetwork::~PrivateNetwork() {
  ::setns(before_.get(), CLONE_NEWNET);
}

}  // namespace holdfast::bench
