#include "cli/demo_balancer.h"

#include "cli/instance_process.h"

namespace holdfast::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kLastLines = 10;
constexpr auto kStopLimit = 2s;

}  // namespace

Result<std::unique_ptr<DemoBalancer>> DemoBalancer::start(loop::Loop& loop,
                                                          const std::string& config_file,
                                                          OnEvent on_event, OnEnd on_end) {
  auto process = ChildProcess::start(
      {.arguments = {own_program(), "run", "-c", config_file},
       .errors = ChildProcess::Stream::piped,
       // Killed, the guardian would be replaced by its worker; asked, it ends both.
       .death_signal = SIGTERM});
  if (!process) {
    return tl::unexpected(process.error());
  }
  return std::unique_ptr<DemoBalancer>(
      new DemoBalancer(loop, std::move(*process), std::move(on_event), std::move(on_end)));
}

DemoBalancer::DemoBalancer(loop::Loop& loop, std::unique_ptr<ChildProcess> process,
                           OnEvent on_event, OnEnd on_end)
    : process_(std::move(process)),
      lines_(process_->take_errors()),
      on_event_(std::move(on_event)),
      on_end_(std::move(on_end)),
      lines_poll_(loop, lines_.fd(), *this),
      end_poll_(loop, process_->end_fd(), *this) {
  lines_poll_.want(true, false);
  end_poll_.want(true, false);
}

DemoBalancer::~DemoBalancer() {
  process_->stop(kStopLimit);
}

void DemoBalancer::on_ready(loop::Poll& poll, loop::Readiness) {
  read_lines();
  if (&poll == &end_poll_) {
    if (const auto status = process_->wait(Duration::zero())) {
      end_poll_.want(false, false);
      on_end_(*status);
    }
  }
}

void DemoBalancer::read_lines() {
  while (const auto line = lines_.next()) {
    last_lines_.push_back(*line);
    if (last_lines_.size() > kLastLines) {
      last_lines_.pop_front();
    }
    if (const auto event = LogLine::parse(*line)) {
      on_event_(*event);
    }
  }
  if (lines_.ended()) {
    lines_poll_.want(false, false);
  }
}

}  // namespace holdfast::cli
