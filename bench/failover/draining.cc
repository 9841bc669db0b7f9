#include "failover/draining.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>

#include "holdfast/base/socket.h"
#include "shared/command.h"

namespace holdfast::bench {
namespace {

constexpr int kAnswerLimit = 5000;  // milliseconds

// A command of HAProxy's runtime API: a line, an answer, and the end. Nothing is said when all is
// well.
Result<void> tell_haproxy(const Balancer& balancer, const std::string& command) {
  const auto address = Endpoint::parse("unix:" + balancer.site().socket().string())
                           .and_then([](const Endpoint& end) { return SocketAddress::from(end); });
  if (!address) {
    return tl::unexpected(address.error());
  }
  const auto socket = start_connect(*address);
  if (!socket) {
    return tl::unexpected(socket.error());
  }
  const auto line = command + "\n";
  if (::send(socket->get(), line.data(), line.size(), MSG_NOSIGNAL) < 0) {
    return fail(command, errno);
  }
  std::string answer;
  char part[256];
  for (pollfd event{socket->get(), POLLIN, 0}; ::poll(&event, 1, kAnswerLimit) > 0;) {
    const auto got = ::recv(socket->get(), part, sizeof part, 0);
    if (got <= 0) {
      break;
    }
    answer.append(part, static_cast<std::size_t>(got));
  }
  if (answer.find_first_not_of(" \n") != std::string::npos) {
    return fail(command + ": " + answer);
  }
  return {};
}

Result<void> change(Balancer& balancer, const std::string& backend, bool drained) {
  const auto& contender = balancer.contender();
  if (contender.name == "holdfast") {
    return run_command({contender.program, drained ? "drain" : "ready", "web/" + backend,
                        "--socket", balancer.site().socket()});
  }
  if (contender.name == "HAProxy") {
    return tell_haproxy(balancer,
                        "set server web/" + backend + " state " + (drained ? "drain" : "ready"));
  }
  auto changed = balancer.site();
  changed.drained = drained ? backend : "";
  balancer.write_configuration(changed);
  ::kill(balancer.main_pid(), SIGHUP);
  return {};
}

}  // namespace

Result<void> drain(Balancer& balancer, const std::string& backend) {
  return change(balancer, backend, true);
}

Result<void> make_ready(Balancer& balancer, const std::string& backend) {
  return change(balancer, backend, false);
}

}  // namespace holdfast::bench
