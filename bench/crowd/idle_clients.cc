#include "crowd/idle_clients.h"

#include <algorithm>

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kOpeningAtOnce = 64;
constexpr auto kCheckInterval = 20ms;
constexpr auto kTimeoutInterval = 250ms;

}  // namespace

IdleClients::IdleClients(loop::Loop& loop, const CrowdOptions& options)
    : options_(options), checks_(loop, [this] { check_some(); }), timeouts_(loop, [this] {
        time_out_overdue();
        open_more();
      }) {
  KeptConnection::Owner& owner = *this;
  for (std::size_t i = 0; i < options.idle; ++i) {
    connections_.push_back(std::make_unique<KeptConnection>(loop, options.target, i, owner));
  }
  timeouts_.start_every(kTimeoutInterval);
}

void IdleClients::start() {
  open_more();
  look_whether_done();
}

void IdleClients::finish() {
  finishing_ = true;
  checks_.stop();
  for (auto& connection : connections_) {
    if (connection->is_open() && !connection->is_waiting()) {
      check(*connection);
    }
  }
  look_whether_done();
}

Losses IdleClients::losses() const {
  auto losses = losses_;
  for (const auto& connection : connections_) {
    losses.opened += connection->times_established();
    losses.wrong_bytes += connection->wrong_bytes();
  }
  return losses;
}

void IdleClients::answered(KeptConnection&) {
  // The first answers are those of the openings: nothing else is asked before they are all there.
  if (!ready_) {
    ++opened_;
    open_more();
  }
  look_whether_done();
}

void IdleClients::lost(KeptConnection& connection, const std::string& reason) {
  losses_.add(connection.is_established(), reason);
  if (!connection.is_established()) {
    ++opened_;  // others are opened by the timer: this may be inside open_more()
  }
  look_whether_done();
}

void IdleClients::open_more() {
  while (begun_ < connections_.size() && begun_ - opened_ < kOpeningAtOnce) {
    check(*connections_[begun_++]);
  }
}

void IdleClients::check_some() {
  const auto seconds = std::chrono::duration<double>(Clock::now() - started_).count();
  const auto due = static_cast<std::uint64_t>(seconds * options_.idle_checks);
  for (; rolling_checks_ < due; ++rolling_checks_) {
    auto& connection = *connections_[rolling_checks_ % connections_.size()];
    if (connection.is_open() && !connection.is_waiting()) {
      check(connection);
    }
  }
}

void IdleClients::check(KeptConnection& connection) {
  connection.ask("/idle/" + std::to_string(connection.number()) + "/" + std::to_string(++asked_));
}

void IdleClients::time_out_overdue() {
  const auto now = Clock::now();
  for (auto& connection : connections_) {
    if (connection->is_waiting() && connection->asked() + options_.timeout <= now) {
      connection->give_up("timed out");
    }
  }
}

void IdleClients::look_whether_done() {
  if (!ready_ && opened_ == connections_.size()) {
    ready_ = true;
    started_ = Clock::now();
    if (!connections_.empty()) {
      checks_.start_every(kCheckInterval);
    }
  }
  if (finishing_ && std::none_of(connections_.begin(), connections_.end(),
                                 [](const auto& each) { return each->is_waiting(); })) {
    finished_ = true;
  }
}

}  // namespace holdfast::bench
