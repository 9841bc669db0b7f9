#include <csignal>
#include <cstdio>
#include <iterator>

#include "cli/commands.h"
#include "cli/demo_balancer.h"
#include "cli/demo_config.h"
#include "cli/demo_screen.h"
#include "cli/demo_tally.h"
#include "cli/load_thread.h"
#include "cli/scrape.h"
#include "cli/wording.h"
#include "holdfast/loop/signals.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using Tone = DemoScreen::Tone;

constexpr int kInstances = 3;
constexpr std::size_t kVictim = 1;
constexpr auto kShortest = 3s;  // room for two checks down and two up
constexpr auto kLongest = 1h;
constexpr auto kReadyLimit = 10s;
constexpr auto kScrapeLimit = 200ms;

// The whole show: instances, balancer, client, and a schedule for what happens to one of them. On
// the main thread, but for the client, so that no child outlives it (see ChildProcess).
class Demo {
 public:
  explicit Demo(const DemoOptions& options);

  // Until the end, or until a signal; the exit code.
  [[nodiscard]] int run();

 private:
  // What has become of the victim, as far as it is known.
  struct Story {
    std::optional<InstanceProcess::Death> death;
    std::optional<Duration> noticed_after;
    std::optional<TimePoint> revived;
    std::optional<Duration> back_after;
  };

  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<void> start_instances();
  void on_event(const LogLine& event);
  void on_backend_event(const LogLine& event, bool up);
  void on_balancer_end(int status);
  void begin();
  void show_second();
  void kill_one();
  void revive_it();
  void finish();
  void summarize();
  void show_addresses();
  void give_up(const std::string& reason);

  [[nodiscard]] Duration elapsed() const { return Clock::now() - load_->begin(); }
  [[nodiscard]] std::optional<std::uint64_t> failovers() const;
  [[nodiscard]] InstanceProcess& victim() { return instances_[kVictim]; }

  DemoOptions options_;
  DemoScreen screen_;
  DemoTally tally_;
  Story story_;
  std::string backends_up_ = std::to_string(kInstances) + " of " + std::to_string(kInstances);
  std::string admin_address_;
  int exit_code_ = kFine;

  // In the order of their making: the client goes before the balancer, the balancer before the
  // instances, and all of them before the loop.
  loop::Loop loop_;
  loop::Signals signals_;
  std::vector<InstanceProcess> instances_;
  std::optional<PortReservation> port_;
  std::unique_ptr<DemoBalancer> balancer_;
  std::unique_ptr<LoadThread> load_;
  loop::Timer ready_limit_;
  loop::Timer seconds_;
  loop::Timer kill_;
  loop::Timer revive_;
  loop::Timer finish_;
};

Demo::Demo(const DemoOptions& options)
    : options_(options),
      signals_(loop_, {SIGINT, SIGTERM},
               [this](int number) {
                 exit_code_ = 128 + number;  // as a shell reports it
                 loop_.stop();
               }),
      ready_limit_(loop_, [this] { give_up("the balancer does not get ready"); }),
      seconds_(loop_, [this] { show_second(); }),
      kill_(loop_, [this] { kill_one(); }),
      revive_(loop_, [this] { revive_it(); }),
      finish_(loop_, [this] { finish(); }) {}

int Demo::run() {
  if (const auto started = start(); !started) {
    std::fprintf(stderr, "holdfast demo: %s\n", started.error().message.c_str());
    return kFailed;
  }
  loop_.run();
  return exit_code_;
}

Result<void> Demo::start() {
  if (auto started = start_instances(); !started) {
    return started;
  }
  auto port = PortReservation::make();
  if (!port) {
    return tl::unexpected(port.error());
  }
  port_ = std::move(*port);
  const auto configuration = demo_configuration(port_->address().to_string(), instances_);
  auto balancer = DemoBalancer::start(
      loop_, configuration, [this](const LogLine& event) { on_event(event); },
      [this](int status) { on_balancer_end(status); });
  if (!balancer) {
    return tl::unexpected(balancer.error());
  }
  balancer_ = std::move(*balancer);
  ready_limit_.start_once(kReadyLimit);
  return {};
}

Result<void> Demo::start_instances() {
  for (int i = 1; i <= kInstances; ++i) {
    auto instance = InstanceProcess::make(own_program(), "web-" + std::to_string(i));
    if (!instance) {
      return tl::unexpected(instance.error());
    }
    instances_.push_back(std::move(*instance));
    if (auto started = instances_.back().start(); !started) {
      return started;
    }
  }
  return {};
}

void Demo::on_event(const LogLine& event) {
  if (event.event == "admin listening") {
    admin_address_ = event.field("address");
  } else if (event.event == "ready" && !load_) {
    begin();
  } else if (event.event == "backend up" || event.event == "backend down") {
    on_backend_event(event, event.event == "backend up");
  }
}

void Demo::begin() {
  ready_limit_.stop();
  auto load = LoadThread::start(
      {.target = port_->address(), .rate = options_.rate, .duration = options_.duration},
      [this](const FinishedRequest& request) { tally_.add(request); });
  if (!load) {
    give_up(load.error().message);
    return;
  }
  load_ = std::move(*load);
  const Duration duration = options_.duration;
  kill_.start_once(duration * 7 / 20);  // between two rows of the table, as the return is
  revive_.start_once(duration * 3 / 5);
  finish_.start_once(duration);
  seconds_.start_every(1s);

  char rate[32];
  std::snprintf(rate, sizeof rate, "%g", options_.rate);
  screen_.say("holdfast in front of " + count_of(kInstances, "backend") + ", " + rate +
              " requests a second, each on a new connection");
  screen_.say("");
  show_addresses();
  screen_.say("");
  screen_.table_head();
}

void Demo::show_addresses() {
  screen_.say("  balancer  http://" + port_->address().to_string() + "/");
  if (!admin_address_.empty()) {
    screen_.say("  metrics   http://" + admin_address_ + "/metrics");
  }
  std::string line = "  backends";
  for (const auto& instance : instances_) {
    line += "  " + instance.name() + " " + instance.address();
  }
  screen_.say(line);
}

void Demo::show_second() {
  // The last one is shown by finish(), when its requests are in.
  if (elapsed() < options_.duration - 500ms) {
    screen_.second(elapsed(), tally_.take_recent(), backends_up_);
  }
}

void Demo::kill_one() {
  story_.death = victim().kill();
  screen_.event(elapsed(), victim().name() + " is killed (SIGKILL)", Tone::bad);
}

void Demo::revive_it() {
  if (const auto started = victim().start(); !started) {
    give_up(started.error().message);
    return;
  }
  story_.revived = Clock::now();
  screen_.event(elapsed(), victim().name() + " is started again", Tone::plain);
}

void Demo::on_backend_event(const LogLine& event, bool up) {
  const auto count = event.field("up");  // "2/3"
  if (const auto slash = count.find('/'); slash != std::string_view::npos) {
    backends_up_ =
        std::string(count.substr(0, slash)) + " of " + std::string(count.substr(slash + 1));
  }
  const auto name = event.field("backend");
  if (!load_ || name != victim().name()) {
    return;
  }
  if (!up && story_.death && !story_.noticed_after) {
    story_.noticed_after = Clock::now() - story_.death->signalled;
    auto text = "holdfast takes it out after " + in_milliseconds(*story_.noticed_after) + " (" +
                std::string(event.field("reason")) + ")";
    if (const auto retried = failovers()) {
      text += ", having retried " + count_of(*retried, "connection") + " elsewhere";
    }
    screen_.event(elapsed(), text, Tone::warning);
  } else if (up && story_.revived && !story_.back_after) {
    story_.back_after = Clock::now() - *story_.revived;
    screen_.event(elapsed(),
                  "holdfast takes it back in after " + in_milliseconds(*story_.back_after) + " (" +
                      std::string(event.field("reason")) + ")",
                  Tone::good);
  }
}

std::optional<std::uint64_t> Demo::failovers() const {
  const auto metrics = http_get("http://" + admin_address_ + "/metrics", kScrapeLimit);
  if (!metrics) {
    return std::nullopt;
  }
  const auto value = find_sample(
      *metrics, std::string("holdfast_pool_failovers_total{pool=\"") + kDemoPool + "\"}");
  return value ? std::optional(static_cast<std::uint64_t>(*value)) : std::nullopt;
}

void Demo::finish() {
  seconds_.stop();
  load_->join();
  screen_.second(options_.duration, tally_.take_recent(), backends_up_);
  summarize();
  if (!options_.keep) {
    loop_.stop();
    return;
  }
  screen_.say("");
  screen_.say("All of it stays up until Ctrl-C:");
  show_addresses();
}

void Demo::summarize() {
  auto total = tally_.total();
  const auto failures = tally_.judge_failures(story_.death);
  screen_.say("");
  screen_.say("  " + with_separators(total.requests - total.failed) + " of " +
              count_of(total.requests, "request") + " answered, p50 " +
              in_milliseconds(total.latencies.percentile(50)) + ", p99 " +
              in_milliseconds(total.latencies.percentile(99)) + ", slowest " +
              in_milliseconds(total.latencies.max()));
  screen_.say("  " + count_of(failures.inside, "request") + " failed inside " + victim().name() +
              " when it was killed");
  for (const auto& [outcome, count] : failures.elsewhere) {
    screen_.say(
        "  " + count_of(count, "request") + " failed otherwise: " + std::string(to_string(outcome)),
        Tone::bad);
    exit_code_ = kFailed;
  }
  if (failures.elsewhere.empty()) {
    screen_.say("  no other request failed", Tone::good);
  }
  if (const auto retried = failovers()) {
    screen_.say("  " + count_of(*retried, "connection") +
                " found a dead backend and got another one instead");
  }
  if (!story_.noticed_after || !story_.back_after) {
    screen_.say(std::string("  the balancer's log never said that ") + victim().name() +
                    (story_.noticed_after ? " came back" : " went down"),
                Tone::warning);
  }
}

void Demo::on_balancer_end(int status) {
  give_up("the balancer has ended (" + describe_status(status) + ")");
}

void Demo::give_up(const std::string& reason) {
  std::fprintf(stderr, "holdfast demo: %s\n", reason.c_str());
  for (const auto& line : balancer_->last_lines()) {
    std::fprintf(stderr, "  %s\n", line.c_str());
  }
  exit_code_ = kFailed;
  loop_.stop();
}

}  // namespace

int demo(const DemoOptions& options) {
  if (options.duration < kShortest || options.duration > kLongest) {
    std::fprintf(stderr, "holdfast demo: --duration must be between 3s and 60m\n");
    return kUsage;
  }
  loop::Signals::block({SIGINT, SIGTERM});
  return Demo(options).run();
}

}  // namespace holdfast::cli
