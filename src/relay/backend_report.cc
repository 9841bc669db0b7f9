#include "relay/backend_report.h"

#include <chrono>
#include <string>

namespace holdfast::relay {
namespace {

std::string serving_of_all(const pool::Pool& pool) {
  return std::to_string(pool.serving()) + "/" + std::to_string(pool.backends().size());
}

constexpr auto kLocalTroubleInterval = std::chrono::minutes(1);

}  // namespace

void report_local_trouble(Context& context, const pool::Pool& pool, const pool::Backend& backend,
                          std::string_view reason) {
  auto& limit =
      context.local_trouble_limits.try_emplace(pool.index(), kLocalTroubleInterval).first->second;
  std::uint64_t suppressed = 0;
  if (!limit.allow(context.loop.now(), suppressed)) {
    return;
  }
  const auto& source = pool.config().connect.socket.source;
  context.log.warning("connect not possible",
                      {{"pool", pool.name()},
                       {"backend", backend.name},
                       {"bind_source", source.size() == 0 ? "none" : source.endpoint().host},
                       {"reason", reason},
                       {"suppressed", suppressed}});
}

void report_failure(Context& context, pool::Pool& pool, std::uint16_t backend,
                    std::string_view reason) {
  const auto time = pool.report_failure(backend, Clock::now());
  if (!time) {
    return;
  }
  const auto name = context.backend_name(backend);
  const auto milliseconds = std::chrono::duration_cast<Milliseconds>(*time).count();
  context.shared.events.write(
      state::EventKind::backend_ejected,
      {{"pool", pool.name()}, {"backend", name}, {"reason", reason}, {"for_ms", milliseconds}});
  context.log.warning("backend ejected", {{"pool", pool.name()},
                                          {"backend", name},
                                          {"reason", reason},
                                          {"for_ms", milliseconds},
                                          {"up", serving_of_all(pool)}});
}

void report_success(Context& context, pool::Pool& pool, std::uint16_t backend) {
  if (!pool.report_success(backend)) {
    return;
  }
  const auto name = context.backend_name(backend);
  constexpr auto kReason = "a connection was answered";
  context.shared.events.write(state::EventKind::backend_readmitted,
                              {{"pool", pool.name()}, {"backend", name}, {"reason", kReason}});
  context.log.info("backend readmitted", {{"pool", pool.name()},
                                          {"backend", name},
                                          {"reason", kReason},
                                          {"up", serving_of_all(pool)}});
}

}  // namespace holdfast::relay
