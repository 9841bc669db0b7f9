#pragma once

#include <string>

#include "shared/contender.h"

namespace holdfast::bench {

// What each balancer reads. Every one is what its own documentation advises for quick failover,
// with the same check interval, thresholds, connect timeout and attempts wherever it knows them.
[[nodiscard]] std::string configure_holdfast(const Site& site);
[[nodiscard]] std::string configure_haproxy(const Site& site);
[[nodiscard]] std::string configure_nginx(const Site& site);

inline constexpr const char* kNginxStreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

}  // namespace holdfast::bench
