#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "holdfast/base/endpoint.h"
#include "holdfast/config/config.h"

namespace holdfast {

// The addresses listened on so far. Two listeners on one address would share its connections at
// random, and one on all addresses of the host leaves its port to nobody else.
class TakenAddresses {
 public:
  // Where it was taken before, if it was; else it is from now on. The endpoint has a port.
  [[nodiscard]] std::optional<Mark> take(const Endpoint& endpoint, Mark mark);

 private:
  using Port = std::pair<int, std::uint16_t>;  // with its address family
  std::map<std::string, Mark> exact_;
  std::map<Port, Mark> first_on_;
  std::map<Port, Mark> any_on_;  // by those on all addresses
};

}  // namespace holdfast
