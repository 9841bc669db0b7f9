#include "health/check_plan.h"

namespace holdfast::health {
namespace {

// As the operator wrote it, which may be a name; the kernel's form for one the file doesn't have.
Endpoint endpoint_of(const PoolConfig& pool, const pool::Backend& backend, std::size_t place) {
  if (place < pool.backends.size() && pool.backends[place].name == backend.name) {
    return pool.backends[place].address;
  }
  return backend.address ? backend.address->endpoint() : Endpoint{};
}

std::string host_of(const Endpoint& endpoint) {
  // A path is no authority (RFC 3986, 3.2).
  return endpoint.kind == Endpoint::Kind::unix_path ? "localhost" : endpoint.to_string();
}

}  // namespace

std::shared_ptr<const CheckPlan> make_plan(const PoolConfig& pool, const pool::Backend& backend,
                                           std::size_t place, TlsContexts& contexts) {
  auto plan = std::make_shared<CheckPlan>();
  plan->config = pool.health;
  plan->address = backend.check_address.value_or(backend.address.value_or(SocketAddress()));
  plan->source = pool.connect.socket.source;
  const auto endpoint = endpoint_of(pool, backend, place);
  plan->host = host_of(endpoint);
  if (const auto& tls = pool.health.tls) {
    plan->server_name = tls->sni.empty() ? endpoint.host : tls->sni;
    if (const auto& context = contexts.find(*tls)) {
      plan->tls = *context;
    } else {
      plan->trouble = context.error().message;
    }
  }
  return plan;
}

}  // namespace holdfast::health
