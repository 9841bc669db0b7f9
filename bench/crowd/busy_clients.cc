#include "crowd/busy_clients.h"

#include <algorithm>

namespace holdfast::bench {
namespace {

using namespace std::chrono_literals;

constexpr auto kRetryInterval = 10ms;
constexpr auto kTimeoutInterval = 250ms;

}  // namespace

Result<std::unique_ptr<BusyClients>> BusyClients::make(loop::Loop& loop,
                                                       const CrowdOptions& options) {
  std::unique_ptr<BusyClients> clients(new BusyClients(loop, options));
  auto alarm = cli::Alarm::make(loop, [self = clients.get()] { self->act(); });
  if (!alarm) {
    return tl::unexpected(alarm.error());
  }
  clients->alarm_ = std::move(*alarm);
  return clients;
}

BusyClients::BusyClients(loop::Loop& loop, const CrowdOptions& options)
    : options_(options),
      clients_(options.busy),
      waits_(options.busy),
      timeouts_(loop, [this] { time_out_overdue(); }) {
  KeptConnection::Owner& owner = *this;
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    clients_[i].connection = std::make_unique<KeptConnection>(loop, options.target, i, owner);
  }
  timeouts_.start_every(kTimeoutInterval);
}

void BusyClients::start() {
  const auto now = Clock::now();
  for (std::size_t i = 0; i < clients_.size(); ++i) {
    // Spread over the interval, so that a stall of any length meets some of them.
    clients_[i].due = now + options_.busy_interval * i / clients_.size();
    clients_[i].act_at = clients_[i].due;
  }
  act();
  look_whether_done();
}

void BusyClients::finish() {
  finishing_ = true;
  look_whether_done();
}

Losses BusyClients::losses() const {
  auto losses = losses_;
  for (const auto& client : clients_) {
    losses.opened += client.connection->times_established();
    losses.wrong_bytes += client.connection->wrong_bytes();
  }
  return losses;
}

void BusyClients::answered(KeptConnection& connection) {
  auto& client = clients_[connection.number()];
  const auto now = Clock::now();
  waits_[connection.number()].push_back({client.due, client.sent, now});
  client.under_way = false;
  // Those that fell due meanwhile are not sent: Wait stands for them too.
  const auto interval = options_.busy_interval;
  client.due += interval * (1 + (now - client.due) / interval);
  client.act_at = client.due;
  set_alarm();
  look_whether_done();
}

void BusyClients::lost(KeptConnection& connection, const std::string& reason) {
  auto& client = clients_[connection.number()];
  losses_.add(connection.is_established(), reason);
  failed_requests_ += client.under_way ? 1 : 0;
  client.act_at = std::max(client.due, Clock::now());
  if (!connection.is_established()) {
    client.act_at += kRetryInterval;
    client.under_way = client.under_way && !finishing_;  // nobody there, and nobody is waited for
  }
  set_alarm();
  look_whether_done();
}

void BusyClients::act() {
  acting_ = true;
  const auto now = Clock::now();
  for (auto& client : clients_) {
    const bool goes_on = !finishing_ || client.under_way;
    if (goes_on && !client.connection->is_waiting() && client.act_at <= now) {
      ask(client);
    }
  }
  acting_ = false;
  set_alarm();
}

void BusyClients::ask(Client& client) {
  if (!client.under_way) {
    client.under_way = true;
    client.sent = Clock::now();
  }
  const auto number = client.connection->number();
  client.connection->ask("/busy/" + std::to_string(number) + "/" + std::to_string(++client.asked));
}

void BusyClients::set_alarm() {
  if (acting_) {
    return;  // set at the end of it
  }
  auto next = TimePoint::max();
  for (const auto& client : clients_) {
    if (!client.connection->is_waiting() && (!finishing_ || client.under_way)) {
      next = std::min(next, client.act_at);
    }
  }
  if (next != TimePoint::max()) {
    alarm_->set(next);
  }
}

void BusyClients::time_out_overdue() {
  const auto now = Clock::now();
  for (auto& client : clients_) {
    if (client.connection->is_waiting() && client.connection->asked() + options_.timeout <= now) {
      client.connection->give_up("timed out");
    }
  }
}

void BusyClients::look_whether_done() {
  const auto has_answer = [](const auto& waits) { return !waits.empty(); };
  if (!ready_ && std::all_of(waits_.begin(), waits_.end(), has_answer)) {
    ready_ = true;
  }
  const auto under_way = [](const Client& client) { return client.under_way; };
  if (finishing_ && std::none_of(clients_.begin(), clients_.end(), under_way)) {
    finished_ = true;
  }
}

}  // namespace holdfast::bench
