#include "crowd/serve.h"

#include <csignal>
#include <cstdio>

#include "crowd/bulk_service.h"
#include "crowd/exchange_service.h"
#include "crowd/loop_thread.h"
#include "holdfast/base/socket.h"
#include "holdfast/loop/signals.h"

namespace holdfast::bench {
namespace {

Result<Fd> listen_at(const std::string& text) {
  return Endpoint::parse(text)
      .and_then([](const Endpoint& endpoint) { return SocketAddress::from(endpoint); })
      .and_then([](const SocketAddress& address) { return listen_on(address, false); });
}

}  // namespace

int serve(const ServeOptions& options) {
  auto listener = listen_at(options.listen);
  auto bulk_listener = listen_at(options.bulk_listen);
  for (const auto* each : {&listener, &bulk_listener}) {
    if (!*each) {
      std::fprintf(stderr, "crowd serve: %s\n", each->error().message.c_str());
      return 1;
    }
  }
  const auto address = SocketAddress::local(listener->get());
  const auto bulk_address = SocketAddress::local(bulk_listener->get());

  loop::Loop loop;
  const loop::Signals signals(loop, {SIGTERM, SIGINT}, [&](int) { loop.stop(); });
  LoopThread bulk_thread;
  const ExchangeService exchanges(loop, std::move(*listener));
  const BulkService bulk(bulk_thread.loop(), std::move(*bulk_listener));
  std::printf("listening %s %s\n", address->to_string().c_str(), bulk_address->to_string().c_str());
  std::fflush(stdout);
  bulk_thread.start();
  loop.run();
  bulk_thread.stop();
  return 0;
}

}  // namespace holdfast::bench
