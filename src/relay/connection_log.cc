#include "relay/connection_log.h"

namespace holdfast::relay {

std::string name_of_client(int socket) {
  const auto client = SocketAddress::peer(socket);
  return client ? client->to_string() : "gone";
}

void log_end(Context& context, const Service& service, const state::ConnectionRecord& record,
             const std::string& client, const ConnectionEnd& end) {
  const auto policy = context.connection_log;
  std::uint64_t suppressed = 0;
  if (policy == ConnectionLog::none || (policy == ConnectionLog::failed && !end.failed)) {
    return;
  }
  if (policy == ConnectionLog::failed && !context.log_limit.allow(context.loop.now(), suppressed)) {
    return;
  }
  context.log.write(end.failed ? LogLevel::warning : LogLevel::info, end.event,
                    {{"listener", service.listener_name},
                     {"client", client.empty() ? name_of_client(record.client_fd) : client},
                     {"pool", service.pool->name()},
                     {"backend", context.backend_name(record.backend)},
                     {"cause", end.cause},
                     {"attempts", record.attempts},
                     {"duration_ms", static_cast<double>(end.nanoseconds_lived) * 1e-6},
                     {"received", record.to_backend.delivered},
                     {"sent", record.to_client.delivered},
                     {"suppressed", suppressed}});
}

}  // namespace holdfast::relay
