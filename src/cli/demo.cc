#include <csignal>
#include <cstdio>
#include <iterator>
#include <optional>

#include "cli/commands.h"
#include "cli/demo_backend_act.h"
#include "cli/demo_balancer.h"
#include "cli/demo_balancer_act.h"
#include "cli/demo_config.h"
#include "cli/demo_schedule.h"
#include "cli/demo_screen.h"
#include "cli/demo_summary.h"
#include "cli/demo_tally.h"
#include "cli/load_thread.h"
#include "cli/scrape.h"
#include "cli/wording.h"
#include "holdfast/base/temporary_directory.h"
#include "holdfast/loop/signals.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using Tone = DemoScreen::Tone;

constexpr int kInstances = 3;
constexpr std::size_t kVictim = 1;
constexpr auto kReadyLimit = 10s;
constexpr auto kScrapeLimit = 200ms;

// The whole show: instances, balancer, clients, and what happens to them in two acts. On the main
// thread, but for the clients' load, so that no child outlives it (see ChildProcess).
class Demo {
 public:
  explicit Demo(const DemoOptions& options);

  // Until the end, or until a signal; the exit code.
  [[nodiscard]] int run();

 private:
  [[nodiscard]] Result<void> start();
  [[nodiscard]] Result<void> start_instances();
  [[nodiscard]] Result<void> start_balancer();
  void on_event(const LogLine& event);
  void on_backend_event(const LogLine& event, bool up);
  void on_balancer_end(int status);
  void begin();
  void show_second();
  void on_last_act_over();
  void finish();
  void summarize();
  void show_addresses();
  void give_up(const std::string& reason);

  [[nodiscard]] std::optional<std::uint64_t> failovers() const;
  [[nodiscard]] std::string control_socket() const { return directory_->file("control.sock"); }
  [[nodiscard]] InstanceProcess& victim() { return instances_[kVictim]; }

  DemoOptions options_;
  DemoSchedule schedule_;
  DemoScreen screen_;
  DemoTally tally_;
  std::string backends_up_ = std::to_string(kInstances) + " of " + std::to_string(kInstances);
  std::string admin_address_;
  int exit_code_ = kFine;

  // In the order of their making: the clients go before the balancer, the balancer before the
  // instances and the directory of its files, and all of them before the loop.
  loop::Loop loop_;
  loop::Signals signals_;
  std::optional<TemporaryDirectory> directory_;
  std::vector<InstanceProcess> instances_;
  std::optional<PortReservation> port_;
  std::unique_ptr<DemoBalancer> balancer_;
  std::unique_ptr<LoadThread> load_;
  std::optional<BackendAct> backend_act_;
  std::optional<BalancerAct> balancer_act_;
  loop::Timer ready_limit_;
  loop::Timer seconds_;
  loop::Timer finish_;
};

Demo::Demo(const DemoOptions& options)
    : options_(options),
      schedule_(DemoSchedule::over(options.duration)),
      signals_(loop_, {SIGINT, SIGTERM},
               [this](int number) {
                 exit_code_ = 128 + number;  // as a shell reports it
                 loop_.stop();
               }),
      ready_limit_(loop_, [this] { give_up("the balancer does not get ready"); }),
      seconds_(loop_, [this] { show_second(); }),
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
  return start_balancer();
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

Result<void> Demo::start_balancer() {
  auto directory = TemporaryDirectory::make();
  if (!directory) {
    return tl::unexpected(directory.error());
  }
  directory_.emplace(std::move(*directory));
  const auto file = directory_->write(
      "holdfast.yaml",
      demo_configuration(port_->address().to_string(), control_socket(), instances_));
  if (!file) {
    return tl::unexpected(file.error());
  }
  auto balancer = DemoBalancer::start(
      loop_, *file, [this](const LogLine& event) { on_event(event); },
      [this](int status) { on_balancer_end(status); });
  if (!balancer) {
    return tl::unexpected(balancer.error());
  }
  balancer_ = std::move(*balancer);
  ready_limit_.start_once(kReadyLimit);
  return {};
}

void Demo::on_event(const LogLine& event) {
  if (event.event == "admin listening") {
    if (const auto address = event.field("address"); !address.starts_with("unix:")) {
      admin_address_ = address;
    }
  } else if (event.event == "ready" && !load_) {
    begin();
  } else if (event.event == "backend up" || event.event == "backend down") {
    on_backend_event(event, event.event == "backend up");
  } else if (event.event == "worker took over" && balancer_act_) {
    balancer_act_->on_take_over(event);
  }
}

void Demo::begin() {
  ready_limit_.stop();
  // Until it is told to end: what is late in the second act isn't to be late for the traffic.
  auto load = LoadThread::start(
      {.target = port_->address(), .rate = options_.rate, .duration = 2 * kLongestDemo},
      [this](const FinishedRequest& request) { tally_.add(request); });
  if (!load) {
    give_up(load.error().message);
    return;
  }
  load_ = std::move(*load);
  screen_.begin(load_->begin());
  const auto on_trouble = [this](const std::string& reason) { give_up(reason); };
  backend_act_.emplace(
      loop_, screen_, victim(), [this] { return failovers(); }, on_trouble);
  backend_act_->begin(schedule_);
  balancer_act_.emplace(
      loop_, screen_,
      BalancerAct::Options{.target = port_->address(),
                           .control_socket = control_socket(),
                           .guardian = balancer_->pid()},
      [this] { on_last_act_over(); }, on_trouble);
  balancer_act_->begin(schedule_);
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
  screen_.say("  control   --socket " + control_socket());
  std::string line = "  backends";
  for (const auto& instance : instances_) {
    line += "  " + instance.name() + " " + instance.address();
  }
  screen_.say(line);
}

void Demo::show_second() {
  // The last one is shown by finish(), when its requests are in.
  if (!finish_.is_running() || screen_.elapsed() < schedule_.end - 500ms) {
    screen_.second(screen_.elapsed(), tally_.take_recent(), backends_up_);
  }
}

void Demo::on_backend_event(const LogLine& event, bool up) {
  const auto count = event.field("up");  // "2/3"
  if (const auto slash = count.find('/'); slash != std::string_view::npos) {
    backends_up_ =
        std::string(count.substr(0, slash)) + " of " + std::string(count.substr(slash + 1));
  }
  if (backend_act_) {
    backend_act_->on_backend_event(event, up);
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

void Demo::on_last_act_over() {
  load_->end_after(schedule_.end);
  finish_.start_once(std::max(Duration::zero(), schedule_.end - screen_.elapsed()));
}

void Demo::finish() {
  seconds_.stop();
  const auto elapsed = screen_.elapsed();
  load_->join();
  screen_.second(elapsed, tally_.take_recent(), backends_up_);
  screen_.say("");
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
  bool fine = summarize_requests(screen_, tally_, backend_act_->death(), victim().name());
  if (const auto retried = failovers()) {
    screen_.say("  " + count_of(*retried, "connection") +
                " found a dead backend and got another one instead");
  }
  fine = balancer_act_->summarize() && fine;
  balancer_act_->close_connections();
  backend_act_->summarize();
  exit_code_ = fine ? kFine : kFailed;
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
  if (options.duration < kShortestDemo || options.duration > kLongestDemo) {
    std::fprintf(stderr, "holdfast demo: --duration must be between 8s and 60m\n");
    return kUsage;
  }
  loop::Signals::block({SIGINT, SIGTERM});
  return Demo(options).run();
}

}  // namespace holdfast::cli
