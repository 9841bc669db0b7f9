#pragma once

#include <map>
#include <set>
#include <string>

#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"

namespace holdfast::discovery {

// The addresses behind these host names, asked of the system's resolver (getaddrinfo(3)) many at
// once, so that a dead name server delays the start by one time-out and not by one for each name.
// Blocks; the ports of the answers are 0. Of several addresses the first IPv4 one is taken, else
// the first.
[[nodiscard]] std::map<std::string, Result<SocketAddress>> resolve(
    const std::set<std::string>& names);

}  // namespace holdfast::discovery
