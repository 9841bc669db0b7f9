#pragma once

#include <string>

namespace holdfast::bench {

struct ServeOptions {
  std::string listen = "127.0.0.1:0";
  std::string bulk_listen = "127.0.0.1:0";
};

// Both services behind the balancer, each on a thread of its own, until SIGTERM or SIGINT, which
// are blocked. Writes "listening ADDRESS BULK-ADDRESS" once they take connections. Returns the exit
// code.
int serve(const ServeOptions& options);

}  // namespace holdfast::bench
