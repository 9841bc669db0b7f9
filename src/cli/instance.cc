#include <csignal>
#include <cstdio>

#include "cli/commands.h"
#include "cli/responder.h"
#include "holdfast/base/socket.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/loop/loop.h"
#include "holdfast/loop/signals.h"
#include "worker/descriptor_budget.h"

namespace holdfast::cli {
namespace {

Result<Fd> listen_at(const std::string& text) {
  const auto address = Endpoint::parse(text).and_then(
      [](const Endpoint& endpoint) { return SocketAddress::from(endpoint); });
  if (!address) {
    return fail("--listen " + text + ": " + address.error().message);
  }
  // Without SO_REUSEPORT: two instances on one port are a mistake to be told of.
  return listen_on(*address, false);
}

}  // namespace

int instance(const InstanceOptions& options) {
  loop::Signals::block({SIGTERM, SIGINT});
  // The usual soft limit of 1,024 descriptors is for programs that call select(2).
  static_cast<void>(worker::raise_descriptor_limit());
  auto listener = listen_at(options.listen);
  if (!listener) {
    std::fprintf(stderr, "holdfast instance: %s\n", listener.error().message.c_str());
    return kFailed;
  }
  const auto address = SocketAddress::local(listener->get());

  loop::Loop loop;
  const loop::Signals signals(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  const Responder responder(loop, std::move(*listener), options.name);
  // The listener takes connections from here on; whoever started us waits for this line.
  std::printf("listening %s\n", address->to_string().c_str());
  std::fflush(stdout);
  loop.run();
  return kFine;
}

}  // namespace holdfast::cli
