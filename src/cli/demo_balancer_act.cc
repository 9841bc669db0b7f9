#include "cli/demo_balancer_act.h"

#include <algorithm>
#include <cstdlib>

#include "cli/instance_process.h"
#include "cli/line_reader.h"
#include "cli/process.h"
#include "cli/wording.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;
using Tone = DemoScreen::Tone;

constexpr std::size_t kConnections = 100;
// A worker that lives longer than 200 ms is replaced at once (guardian/backoff.h).
constexpr Duration kShortestLife = 250ms;
constexpr Duration kLookAgain = 20ms;
constexpr Duration kTakeOverLimit = 10s;
constexpr Duration kControlLimit = 1s;
constexpr Duration kLongestRound = 1s;

// "takes over 103 connections after 4.2 ms", by the new worker's own account.
std::string account_of(const LogLine& event) {
  const auto took = std::strtod(std::string(event.field("took_ms")).c_str(), nullptr);
  const auto number = std::strtoull(std::string(event.field("connections")).c_str(), nullptr, 10);
  return "takes over " + count_of(number, "connection") + " after " +
         in_milliseconds(
             std::chrono::round<Duration>(std::chrono::duration<double, std::milli>(took)));
}

}  // namespace

BalancerAct::BalancerAct(loop::Loop& loop, DemoScreen& screen, Options options, OnDone on_done,
                         OnTrouble on_trouble)
    : loop_(loop),
      screen_(screen),
      options_(std::move(options)),
      on_done_(std::move(on_done)),
      on_trouble_(std::move(on_trouble)),
      control_(options_.control_socket),
      step_timer_(loop, [this] { take_step(); }),
      take_over_limit_(loop, [this] { on_trouble_("no worker takes over from the killed one"); }) {}

void BalancerAct::begin(const DemoSchedule& schedule) {
  schedule_ = schedule;
  go_on_with(&BalancerAct::open_connections, schedule_.connections_open);
}

void BalancerAct::go_on_with(Step step, Duration due) {
  step_ = step;
  step_timer_.start_once(std::max(due - screen_.elapsed(), kShortestLife));
}

void BalancerAct::take_step() {
  if (step_ != nullptr) {
    (this->*step_)();
  }
}

void BalancerAct::open_connections() {
  connections_ = std::make_unique<EstablishedConnections>(
      loop_, EstablishedConnections::Options{.target = options_.target,
                                             .number = kConnections,
                                             .round = std::min(kLongestRound, schedule_.end / 16)});
  screen_.event(count_of(kConnections, "connection") +
                    " are opened to stay, each with a request now and then",
                Tone::plain);
  connections_->after_a_round(
      [this] { go_on_with(&BalancerAct::kill_worker, schedule_.worker_death(0)); });
}

std::optional<pid_t> BalancerAct::serving_worker() const {
  const auto instance = control_.get("/api/v1/instance", kControlLimit);
  if (!instance || !instance->body.is_object() || instance->body.value("phase", "") != "serving") {
    return std::nullopt;
  }
  const auto worker = instance->body.value("worker_pid", pid_t{0});
  return worker > 0 && parent_of(worker) == options_.guardian ? std::optional(worker)
                                                              : std::nullopt;
}

void BalancerAct::kill_worker() {
  const auto worker = serving_worker();
  if (!worker) {
    step_timer_.start_once(kLookAgain);
    return;
  }
  is_dying_ = true;
  ::kill(*worker, SIGKILL);
  take_over_limit_.start_once(kTakeOverLimit);
}

void BalancerAct::on_take_over(const LogLine& event) {
  const auto cause = event.field("cause");
  if (is_dying_ && cause == "killed") {
    is_dying_ = false;
    take_over_limit_.stop();
    screen_.event("holdfast's worker is killed (SIGKILL), the next " + account_of(event),
                  Tone::warning);
    after_a_death();
  } else if (upgrade_ && cause == "upgrade") {
    screen_.event("the new program " + account_of(event), Tone::good);
  }
}

void BalancerAct::after_a_death() {
  if (++deaths_ < DemoSchedule::kWorkerDeaths) {
    go_on_with(&BalancerAct::kill_worker, schedule_.worker_death(deaths_));
  } else {
    go_on_with(&BalancerAct::upgrade, schedule_.upgrade);
  }
}

void BalancerAct::upgrade() {
  // A process of its own: the answer takes as long as the upgrade does.
  auto upgrade = ChildProcess::start(
      {.arguments = {own_program(), "upgrade", "--socket", options_.control_socket},
       .errors = ChildProcess::Stream::piped});
  if (!upgrade) {
    on_trouble_(upgrade.error().message);
    return;
  }
  screen_.event("holdfast is upgraded in place (holdfast upgrade)", Tone::plain);
  upgrade_ = std::move(*upgrade);
  loop::Poll::Handler& handler = *this;
  upgrade_end_ = std::make_unique<loop::Poll>(loop_, upgrade_->end_fd(), handler);
  upgrade_end_->want(true, false);
}

void BalancerAct::on_ready(loop::Poll&, loop::Readiness) {
  if (const auto status = upgrade_->wait(Duration::zero())) {
    upgrade_end_.reset();
    on_upgrade_end(*status);
  }
}

void BalancerAct::on_upgrade_end(int status) {
  if (status != 0) {
    const auto reason = LineReader(upgrade_->take_errors()).next();
    on_trouble_("the upgrade failed: " + reason.value_or(describe_status(status)));
    return;
  }
  connections_->after_a_round(on_done_);
}

bool BalancerAct::summarize() {
  const auto lost = connections_->lost();
  screen_.say("  " + with_separators(connections_->number() - lost) + " of " +
                  count_of(connections_->number(), "established connection") + " lived through " +
                  count_of(static_cast<std::uint64_t>(deaths_), "death") +
                  " of the worker and an upgrade",
              lost == 0 ? Tone::good : Tone::bad);
  for (const auto& [outcome, count] : connections_->losses()) {
    screen_.say("  " + count_of(count, "connection") + " lost: " + std::string(to_string(outcome)),
                Tone::bad);
  }
  return lost == 0;
}

}  // namespace holdfast::cli
