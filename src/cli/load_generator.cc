#include "cli/load_generator.h"

#include <netinet/in.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "holdfast/base/socket.h"

namespace holdfast::cli {
namespace {

bool is_loopback(const SocketAddress& address) {
  if (address.family() == AF_INET) {
    sockaddr_in in4{};
    std::memcpy(&in4, address.data(), sizeof in4);
    return ntohl(in4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
  }
  if (address.family() == AF_INET6) {
    sockaddr_in6 in6{};
    std::memcpy(&in6, address.data(), sizeof in6);
    return IN6_IS_ADDR_LOOPBACK(&in6.sin6_addr);
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<LoadGenerator>> LoadGenerator::make(loop::Loop& loop, LoadOptions options,
                                                           OnFinished on_finished, OnDone on_done) {
  if (!is_loopback(options.target)) {
    return fail("the load generator sends to loopback addresses only");
  }
  if (!(options.rate > 0)) {
    return fail("the rate must be above zero");
  }
  std::unique_ptr<LoadGenerator> generator(
      new LoadGenerator(loop, options, std::move(on_finished), std::move(on_done)));
  auto alarm = Alarm::make(loop, [self = generator.get()] { self->on_alarm(); });
  if (!alarm) {
    return tl::unexpected(alarm.error());
  }
  generator->alarm_ = std::move(*alarm);
  return generator;
}

LoadGenerator::LoadGenerator(loop::Loop& loop, LoadOptions options, OnFinished on_finished,
                             OnDone on_done)
    : loop_(loop),
      options_(options),
      request_("GET / HTTP/1.1\r\nHost: " + options.target.to_string() + "\r\n\r\n"),
      on_finished_(std::move(on_finished)),
      on_done_(std::move(on_done)),
      total_(requests_in(options.duration)),
      timeouts_(loop, [this] { time_out_overdue(); }) {}

void LoadGenerator::start(TimePoint begin) {
  begin_ = begin;
  alarm_->set(due_time(0));
}

void LoadGenerator::end_after(Duration duration) {
  total_ = std::min(total_, std::max(sent_, requests_in(duration)));
  report_if_done();
}

void LoadGenerator::stop() {
  end_after(Duration::zero());
}

void LoadGenerator::on_alarm() {
  send_due();
  if (sent_ < total_) {
    alarm_->set(due_time(sent_));
  }
  report_if_done();
}

std::uint64_t LoadGenerator::requests_in(Duration duration) const {
  return static_cast<std::uint64_t>(
      std::llround(options_.rate * std::chrono::duration<double>(duration).count()));
}

TimePoint LoadGenerator::due_time(std::uint64_t number) const {
  // From the beginning each time: adding up a rounded interval would drift.
  const std::chrono::duration<double> since(static_cast<double>(number) / options_.rate);
  return begin_ + std::chrono::round<Duration>(since);
}

void LoadGenerator::send_due() {
  const auto now = Clock::now();
  while (sent_ < total_ && due_time(sent_) <= now) {
    send(due_time(sent_));
    ++sent_;
  }
}

void LoadGenerator::send(TimePoint intended) {
  const auto now = Clock::now();
  if (exchanges_.size() >= options_.max_in_flight) {
    on_finished_({intended, now, now, Outcome::not_sent, {}});
    return;
  }
  auto socket = start_connect(options_.target);
  if (!socket) {
    on_finished_({intended, now, Clock::now(), outcome_of_error(socket.error().code), {}});
    return;
  }
  HttpExchange::Owner& owner = *this;
  exchanges_.emplace_back(loop_, std::move(*socket), request_, intended, now, owner);
  exchanges_.back().position = std::prev(exchanges_.end());
  if (!timeouts_.is_running()) {
    watch_timeouts();
  }
}

void LoadGenerator::exchange_finished(HttpExchange& exchange, Outcome outcome) {
  const FinishedRequest finished{
      exchange.intended(), exchange.started(), Clock::now(), outcome,
      std::string(outcome == Outcome::answered ? exchange.instance() : "")};
  exchanges_.erase(exchange.position);
  on_finished_(finished);
  report_if_done();
}

void LoadGenerator::time_out_overdue() {
  const auto now = Clock::now();
  while (!exchanges_.empty() && exchanges_.front().started() + options_.timeout <= now) {
    exchange_finished(exchanges_.front(), Outcome::timed_out);
  }
  watch_timeouts();
}

void LoadGenerator::watch_timeouts() {
  // Fires for the oldest, which has often finished by then: once per timeout, not per request.
  if (!exchanges_.empty()) {
    timeouts_.start_once(exchanges_.front().started() + options_.timeout - loop_.now());
  }
}

void LoadGenerator::report_if_done() {
  if (sent_ >= total_ && exchanges_.empty() && on_done_) {
    alarm_->stop();
    timeouts_.stop();
    std::exchange(on_done_, nullptr)();
  }
}

}  // namespace holdfast::cli
