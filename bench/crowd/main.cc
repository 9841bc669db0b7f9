#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "cli/line_reader.h"
#include "crowd/crowd.h"
#include "crowd/result_json.h"
#include "crowd/serve.h"
#include "holdfast/loop/signals.h"
#include "worker/descriptor_budget.h"

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kReadyLimit = 60s;
constexpr auto kLook = 10ms;

// What the command line says, in the units it says it in.
struct CommandLine {
  std::string target;
  std::string bulk_target;
  CrowdOptions crowd;
  double busy_interval_ms = 10;
  double bulk_rate_mib = 8;
  std::uint64_t bulk_size_mib = 64;
  double timeout_s = 30;
  double window_s = 5;
  double duration_s = 0;  // 0: until told
};

Duration seconds(double count) {
  return std::chrono::round<Duration>(std::chrono::duration<double>(count));
}

Result<SocketAddress> to_address(const std::string& text) {
  return Endpoint::parse(text).and_then(
      [](const Endpoint& endpoint) { return SocketAddress::from(endpoint); });
}

Result<CrowdOptions> to_options(const CommandLine& given) {
  auto options = given.crowd;
  const auto target = to_address(given.target);
  if (!target) {
    return tl::unexpected(target.error());
  }
  options.target = *target;
  if (given.bulk_target.empty()) {
    options.downloads = options.uploads = 0;
  } else {
    const auto bulk_target = to_address(given.bulk_target);
    if (!bulk_target) {
      return tl::unexpected(bulk_target.error());
    }
    options.bulk_target = *bulk_target;
  }
  options.busy_interval = seconds(given.busy_interval_ms / 1000);
  options.bulk_rate = given.bulk_rate_mib * (1 << 20);
  options.bulk_size = given.bulk_size_mib << 20;
  options.timeout = seconds(given.timeout_s);
  options.window = seconds(given.window_s);
  return options;
}

// SIGTERM and SIGINT, which are blocked, and lines on standard input, whose end means nothing: it
// may be /dev/null.
class Orders {
 public:
  // Waits a little. Whether it is time to stop.
  bool look(Crowd& crowd) {
    sigset_t ending;
    sigemptyset(&ending);
    sigaddset(&ending, SIGINT);
    sigaddset(&ending, SIGTERM);
    const timespec none{0, 0};
    if (::sigtimedwait(&ending, nullptr, &none) > 0) {
      return true;
    }
    pollfd readable{input_.ended() ? -1 : input_.fd(), POLLIN, 0};
    ::poll(&readable, 1, std::chrono::milliseconds(kLook).count());
    while (const auto line = readable.revents != 0 ? input_.next() : std::nullopt) {
      if (*line == "stop") {
        return true;
      }
      if (line->starts_with("event ")) {
        crowd.mark(line->substr(6));
      } else {
        std::fprintf(stderr, "crowd: not understood: %s\n", line->c_str());
      }
    }
    return false;
  }

 private:
  cli::LineReader input_{[] {
    Fd input(::dup(STDIN_FILENO));
    ::fcntl(input.get(), F_SETFL, O_NONBLOCK);
    return input;
  }()};
};

int run(const CommandLine& given) {
  const auto options = to_options(given);
  if (!options) {
    std::fprintf(stderr, "crowd: %s\n", options.error().message.c_str());
    return 2;
  }
  const auto begin = Clock::now();
  auto crowd = Crowd::start(*options);
  if (!crowd) {
    std::fprintf(stderr, "crowd: %s\n", crowd.error().message.c_str());
    return 1;
  }
  Orders orders;
  bool stopping = false;
  while (!stopping && !(*crowd)->is_ready()) {
    stopping = orders.look(**crowd);
    if (Clock::now() - begin > kReadyLimit) {
      std::fprintf(stderr, "crowd: not everything could be established\n");
      break;
    }
  }
  if ((*crowd)->is_ready()) {
    std::printf("ready\n");
    std::fflush(stdout);
    const auto end = Clock::now() + seconds(given.duration_s);
    while (!stopping && (given.duration_s == 0 || Clock::now() < end)) {
      stopping = orders.look(**crowd);
    }
  }
  const bool was_ready = (*crowd)->is_ready();
  auto result = (*crowd)->finish();
  std::printf("%s\n", to_json(result, begin).dump().c_str());
  return was_ready ? 0 : 1;
}

void add_options(CLI::App& app, CommandLine& given) {
  const auto at_least_none = CLI::NonNegativeNumber;
  const auto more_than_none = CLI::PositiveNumber;
  auto& crowd = given.crowd;
  app.add_option("--target", given.target, "the balancer's address of the small exchanges");
  app.add_option("--bulk-target", given.bulk_target, "that of the transfers; none without it");
  app.add_option("--idle", crowd.idle, "connections that only stay")->check(CLI::Range(0, 9000));
  app.add_option("--idle-checks", crowd.idle_checks, "tries of idle connections a second")
      ->check(at_least_none);
  app.add_option("--busy", crowd.busy, "clients that ask all the time")->check(CLI::Range(0, 5000));
  app.add_option("--busy-interval", given.busy_interval_ms, "milliseconds from request to request")
      ->check(more_than_none);
  app.add_option("--downloads", crowd.downloads, "at a time")->check(CLI::Range(0, 500));
  app.add_option("--uploads", crowd.uploads, "at a time")->check(CLI::Range(0, 500));
  app.add_option("--bulk-size", given.bulk_size_mib, "MiB of one transfer")->check(more_than_none);
  app.add_option("--bulk-rate", given.bulk_rate_mib, "MiB a second of one transfer")
      ->check(more_than_none);
  app.add_option("--new-rate", crowd.new_rate, "new connections a second")->check(at_least_none);
  app.add_option("--timeout", given.timeout_s, "seconds for any answer")->check(more_than_none);
  app.add_option("--window", given.window_s, "seconds after an event that count as its doing")
      ->check(more_than_none);
  app.add_option("--duration", given.duration_s, "seconds; without it until SIGTERM or \"stop\"")
      ->check(at_least_none);
}

}  // namespace
}  // namespace holdfast::bench

int main(int argc, char** argv) {
  using namespace holdfast;
  CLI::App app(
      "Connections of many kinds through one balancer, and what became of them.\n"
      "Reads from standard input: \"event NAME\" marks a moment, \"stop\" ends the run.");
  bench::CommandLine given;
  bench::ServeOptions serving;
  bench::add_options(app, given);
  auto* serve = app.add_subcommand("serve", "the services behind the balancer");
  serve->add_option("--listen", serving.listen, "of the small exchanges")->capture_default_str();
  serve->add_option("--bulk-listen", serving.bulk_listen, "of the transfers")
      ->capture_default_str();
  CLI11_PARSE(app, argc, argv);
  if (!serve->parsed() && given.target.empty()) {
    std::fprintf(stderr, "crowd: --target is needed\n");
    return 2;
  }
  loop::Signals::block({SIGINT, SIGTERM});
  static_cast<void>(worker::raise_descriptor_limit());
  return serve->parsed() ? bench::serve(serving) : bench::run(given);
}
