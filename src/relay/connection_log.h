#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "holdfast/state/connection_record.h"
#include "relay/context.h"

namespace holdfast::relay {

// How a connection ended, for the log.
struct ConnectionEnd {
  std::string_view event;
  std::string_view cause;
  bool failed = false;
  std::int64_t nanoseconds_lived = 0;
};

// Writes a line about it, as far as lines about connections are wanted. `client` is its name where
// that is known already.
void log_end(Context& context, const Service& service, const state::ConnectionRecord& record,
             const std::string& client, const ConnectionEnd& end);

// The client's address; "gone" when the kernel has forgotten it.
[[nodiscard]] std::string name_of_client(int socket);

}  // namespace holdfast::relay
