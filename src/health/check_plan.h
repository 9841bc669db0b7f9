#pragma once

#include <memory>
#include <string>

#include "health/tls_context.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/config/config.h"
#include "holdfast/pool/pool.h"

namespace holdfast::health {

// What all checks of one backend have in common. Immutable: a check that is under way keeps the
// plan it began with.
struct CheckPlan {
  HealthConfig config;
  SocketAddress address = {};
  SocketAddress source = {};     // that it connects from; size 0: the kernel's choice
  std::string host = {};         // of HTTP requests: the backend's address as it is configured
  std::string server_name = {};  // whose certificate it must be
  std::shared_ptr<const TlsContext> tls = nullptr;
  std::string trouble = {};  // why there can be no TLS now; empty: none
};

// The backend must have an address to be checked at. `place`: of it in the pool's configuration.
[[nodiscard]] std::shared_ptr<const CheckPlan> make_plan(const PoolConfig& pool,
                                                         const pool::Backend& backend,
                                                         std::size_t place, TlsContexts& contexts);

}  // namespace holdfast::health
