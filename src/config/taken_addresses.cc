#include "config/taken_addresses.h"

#include "holdfast/base/socket_address.h"

namespace holdfast {

std::optional<Mark> TakenAddresses::take(const Endpoint& endpoint, Mark mark) {
  const auto numeric = SocketAddress::from(endpoint);
  // "[::0]:80" is "[::]:80"; a name is resolved later and stands for itself here.
  const auto spelling = numeric ? numeric->to_string() : endpoint.to_string();
  const auto [place, is_new] = exact_.emplace(spelling, mark);
  if (!is_new) {
    return place->second;
  }
  if (!numeric || numeric->is_unix()) {
    return std::nullopt;
  }
  const Port port{numeric->family(), numeric->port()};
  const auto host = numeric->endpoint().host;
  const bool is_any = host == "0.0.0.0" || host == "::";
  const auto& clashing = is_any ? first_on_ : any_on_;
  const auto clash = clashing.find(port);
  const auto taken = clash == clashing.end() ? std::nullopt : std::optional(clash->second);
  first_on_.emplace(port, mark);
  if (is_any) {
    any_on_.emplace(port, mark);
  }
  return taken;
}

}  // namespace holdfast
