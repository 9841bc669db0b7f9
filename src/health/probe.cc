#include "health/probe.h"

#include <cerrno>
#include <cstdlib>

#include "holdfast/base/socket.h"

namespace holdfast::health {
namespace {

using Verdict = ProbeResult::Verdict;

ProbeResult failed_by(int code, std::string words) {
  return {is_local_trouble(code) ? Verdict::inconclusive : Verdict::failed, std::move(words)};
}

ProbeResult result_of(Answer answer) {
  return {.verdict = answer.passed ? Verdict::passed : Verdict::failed,
          .reason = std::move(answer.reason),
          .agent = std::move(answer.agent)};
}

}  // namespace

Probe::Probe(loop::Loop& loop, std::shared_ptr<const CheckPlan> plan, Report report)
    : loop_(loop),
      plan_(std::move(plan)),
      report_(std::move(report)),
      timer_(loop, [this] { on_timer(); }) {
  if (!plan_->trouble.empty()) {
    settled_ = ProbeResult{Verdict::inconclusive, plan_->trouble};
  } else if (auto transport = Transport::open(*plan_)) {
    transport_.emplace(std::move(*transport));
  } else {
    const auto& [message, code] = transport.error();
    settled_ = failed_by(code, is_local_trouble(code) ? message : error_text(code));
  }
  if (settled_) {
    // Reported from the loop like every other outcome: nobody is called back while still making
    // the probe.
    timer_.start_once(Duration::zero());
    return;
  }
  if (Exchange::is_needed(plan_->config)) {
    exchange_.emplace(plan_->config, plan_->host);
    to_send_ = exchange_->request();
  }
  timer_.start_once(plan_->config.timeout);
  poll_.emplace(loop_, transport_->socket(), *this);
  poll_->want(false, true);
}

void Probe::on_timer() {
  if (state_ == State::closing) {
    transport_->finish_sending();
    let_go();
  } else if (settled_) {
    finish(*settled_);
  } else if (!transport_->is_connected() && !is_ready(transport_->socket(), false, true)) {
    finish(timeout());
  } else {
    // After a pause of the process the timer comes first, whatever has happened meanwhile.
    auto result = advance();
    finish(result ? std::move(*result) : timeout());
  }
}

void Probe::on_ready(loop::Poll&, loop::Readiness) {
  switch (state_) {
    case State::establishing:
    case State::sending:
    case State::receiving:
      if (auto result = advance()) {
        finish(std::move(*result));
      }
      return;
    case State::closing:
      if (!transport_->drain()) {
        transport_->finish_sending();
        let_go();
      }
      return;
    case State::done:
      return;
  }
}

std::optional<ProbeResult> Probe::advance() {
  if (state_ == State::establishing) {
    if (auto result = establish(); result || state_ == State::establishing) {
      return result;
    }
  }
  if (state_ == State::sending) {
    if (auto result = send(); result || state_ == State::sending) {
      return result;
    }
  }
  return receive();
}

std::optional<ProbeResult> Probe::establish() {
  const auto io = transport_->establish();
  if (io == Io::failed) {
    return failure();
  }
  if (io != Io::done) {
    wait_for(io);
    return std::nullopt;
  }
  if (!exchange_) {
    return ProbeResult{Verdict::passed, {}};
  }
  state_ = State::sending;
  return std::nullopt;
}

std::optional<ProbeResult> Probe::send() {
  while (!to_send_.empty()) {
    const auto io = transport_->send(to_send_);
    if (io == Io::want_read || io == Io::want_write) {
      wait_for(io);
      return std::nullopt;
    }
    if (io != Io::done) {
      break;  // it may have answered before it ended; else the reading meets the same end
    }
  }
  state_ = State::receiving;
  return std::nullopt;
}

std::optional<ProbeResult> Probe::receive() {
  for (;;) {
    char buffer[4096];
    std::size_t got = 0;
    switch (const auto io = transport_->receive(buffer, got)) {
      case Io::done:
        if (auto answer = exchange_->take({buffer, got})) {
          return result_of(std::move(*answer));
        }
        break;
      case Io::want_read:
      case Io::want_write:
        wait_for(io);
        return std::nullopt;
      case Io::ended:
        return result_of(exchange_->end());
      case Io::failed:
        return failure();
    }
  }
}

void Probe::wait_for(Io io) {
  poll_->want(io == Io::want_read, io == Io::want_write);
}

ProbeResult Probe::failure() const {
  const auto& failure = transport_->failure();
  return failed_by(failure.code, failure.code == ETIMEDOUT ? "timeout" : failure.words);
}

ProbeResult Probe::timeout() const {
  if (!transport_->is_connected()) {
    return {Verdict::failed, "timeout"};
  }
  if (state_ == State::establishing) {
    return {Verdict::failed, "timeout in the TLS handshake"};
  }
  return result_of(exchange_->give_up());
}

void Probe::finish(ProbeResult result) {
  result.took = Clock::now() - started_;
  if (transport_ && transport_->is_connected()) {
    begin_closing();
  } else {
    let_go();
  }
  const auto report = std::move(report_);
  report(result);
}

void Probe::begin_closing() {
  state_ = State::closing;
  if (!exchange_ || !exchange_->is_ended_by_backend()) {
    transport_->finish_sending();
  }
  poll_->want(true, false);
  timer_.start_once(plan_->config.timeout);
}

void Probe::let_go() {
  state_ = State::done;
  timer_.stop();
  poll_.reset();
  transport_.reset();
}

}  // namespace holdfast::health
