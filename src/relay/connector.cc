#include "relay/connector.h"

#include <cerrno>
#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"
#include "relay/backend_report.h"
#include "relay/client_key.h"
#include "relay/tried.h"

namespace holdfast::relay {
namespace {

// After how long somebody looks after the client: most connects take less, and pay nothing for it.
constexpr auto kLasting = std::chrono::milliseconds(10);

state::ConnectFailure classify(int code) {
  using state::ConnectFailure;
  if (is_local_trouble(code)) {
    return ConnectFailure::local;
  }
  switch (code) {
    case ECONNREFUSED:
    case ENOENT:  // a Unix socket whose file is gone
      return ConnectFailure::refused;
    case ECONNRESET:
    case EPIPE:  // the same after its FIN (tcp_reset() in the kernel)
      return ConnectFailure::reset;
    case ETIMEDOUT:
      return ConnectFailure::timeout;
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EHOSTDOWN:
    case ENETDOWN:
      return ConnectFailure::unreachable;
    default:  // errno is an open set
      return ConnectFailure::other;
  }
}

}  // namespace

Connector::Connector(Context& context, const Service& service, state::ConnectionRecord& record,
                     Owner& owner)
    : context_(context),
      service_(service),
      pool_(*service.pool),
      record_(record),
      owner_(owner),
      attempts_{Attempt(context, record, record.backend_fd, record.backend, *this),
                Attempt(context, record, record.second_fd, record.second_backend, *this)},
      late_(*this, &Connector::on_late),
      total_(*this, &Connector::on_total_reached),
      lasting_(*this, &Connector::on_lasting) {}

void Connector::abandon() {
  client_.reset();
  for (auto& attempt : attempts_) {
    if (attempt.is_open() && attempt.is_hedge) {
      counters().hedges_lost.add(1);
    }
    attempt.close(pool_);
  }
}

void Connector::begin_deadlines() {
  service_.connect_total_deadline.touch(total_);
  context_.deadlines.list(kLasting).touch(lasting_);
}

void Connector::begin() {
  begin_deadlines();
  if (open(attempts_.front(), record_.attempts == 0 ? Why::first : Why::failover)) {
    expect_next();
  } else {
    owner_.on_nobody_left();
  }
}

void Connector::begin_with(const pool::Backend& backend) {
  begin_deadlines();
  if (start(attempts_.front(), backend, record_.attempts == 0 ? Why::first : Why::failover)) {
    expect_next();
  } else {
    go_on(attempts_.front());
  }
}

bool Connector::has_attempts_left() const {
  return record_.attempts < pool_.config().connect.attempts;
}

// One that has only lost a race is better than nobody.
const pool::Backend* Connector::pick(const Attempt& attempt, Why why) {
  pool::PickRequest request{.tried = tried(record_),
                            .client = client_key(pool_.config(), record_),
                            .now = context_.loop.now()};
  if (const auto* backend = pool_.pick(request)) {
    return backend;
  }
  const auto failed_ones = failed(record_);
  if (why == Why::hedge || other(attempt).is_open() ||
      failed_ones.all().size() == request.tried.size()) {
    return nullptr;
  }
  request.tried = failed_ones.all();
  return pool_.pick(request);
}

// Whether a connect is under way now.
bool Connector::open(Attempt& attempt, Why why) {
  while (has_attempts_left()) {
    const auto* backend = pick(attempt, why);
    if (backend == nullptr) {
      return false;
    }
    HOLDFAST_FAULT_POINT(connector_backend_picked);
    if (start(attempt, *backend, why)) {
      return true;
    }
    why = Why::failover;
  }
  return false;
}

bool Connector::start(Attempt& attempt, const pool::Backend& backend, Why why) {
  if (why == Why::failover) {
    counters().failovers.add(1);
  }
  if (why != Why::hedge) {
    pool_.racing().budget.deposit(Clock::now());
  }
  note_tried(record_, backend.index);
  attempt.is_hedge = why == Why::hedge;
  const auto begun =
      attempt.begin(backend, pool_.config().connect.socket, service_.connect_deadline);
  if (!begun) {
    const auto& [message, code] = begun.error();
    if (is_local_trouble(code)) {
      report_local_trouble(context_, pool_, backend, message);
    }
    fail(attempt, code);
  }
  return begun.has_value();
}

void Connector::on_outcome(Attempt& attempt, int code) {
  if (code == 0) {
    win(attempt);
  } else {
    fail(attempt, code);
    go_on(attempt);
  }
}

// An attempt has failed: the next one, or the one that still races it.
void Connector::go_on(Attempt& free) {
  if (open(free, Why::failover)) {
    expect_next();
  } else if (!other(free).is_open()) {
    owner_.on_nobody_left();
  }
}

void Connector::win(Attempt& winner) {
  const auto taken = winner.age();
  counters().connect_duration.observe(static_cast<std::uint64_t>(taken.count()));
  pool_.racing().times.observe(taken, Clock::now());
  if (winner.is_hedge) {
    counters().hedges_won.add(1);
    winner.is_hedge = false;
  }
  auto& loser = other(winner);
  if (loser.is_open()) {
    lose(loser);
  }
  auto poll = winner.take();
  if (&winner != &attempts_.front()) {
    record_.backend = std::exchange(record_.second_backend, state::kNoBackend);
    HOLDFAST_FAULT_POINT(connector_winner_half_moved);
    record_.backend_fd = record_.second_fd;
    HOLDFAST_FAULT_POINT(connector_winner_named_twice);
    record_.second_fd = -1;
    HOLDFAST_FAULT_POINT(connector_winner_moved);
  }
  if (pool_.config().connect.socket.fastopen && is_connect_put_off(record_.backend_fd)) {
    // Kernels before 6.5 don't splice into such a socket, and call it writable nevertheless.
    record_.to_backend.copying = true;
  }
  owner_.on_connected(std::move(poll));
}

void Connector::fail(Attempt& attempt, int code) {
  const auto reason = classify(code);
  note_failed(record_, attempt.backend());
  context_.counters.backends[attempt.backend()]
      .connect_failures[static_cast<std::size_t>(reason)]
      .add(1);
  HOLDFAST_FAULT_POINT(connector_failure_counted);
  if (attempt.is_hedge) {
    counters().hedges_lost.add(1);
  }
  context_.log.debug("connect failed", {{"pool", pool_.name()},
                                        {"backend", context_.backend_name(attempt.backend())},
                                        {"reason", error_text(code)},
                                        {"attempt", record_.attempts}});
  const auto backend = attempt.backend();
  attempt.close(pool_);
  if (reason != state::ConnectFailure::local) {
    report_failure(context_, pool_, backend, error_text(code));
  }
}

void Connector::on_lasting() {
  ClientWatch::Owner& owner = *this;
  client_.emplace(context_, record_.client_fd, ClientWatch::Leaving::by_hangup, owner);
}

void Connector::on_client_left() {
  const Handling handling(context_, record_);
  owner_.on_client_hung_up();
}

void Connector::on_total_reached() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(connector_total_reached);
  for (auto& attempt : attempts_) {
    if (!attempt.is_open()) {
      continue;
    }
    const int code = attempt.outcome().value_or(ETIMEDOUT);
    if (code == 0) {
      win(attempt);
      return;
    }
    if (code == ETIMEDOUT && !is_late(attempt)) {
      lose(attempt);
    } else {
      fail(attempt, code);
    }
  }
  is_out_of_time_ = true;
  owner_.on_nobody_left();
}

void Connector::forget(state::ConnectionRecord& record) {
  if (record.second_fd == record.backend_fd) {
    record.second_fd = -1;  // it had won, and was being moved
  }
  {
    const Fd socket(std::exchange(record.backend_fd, -1));
    HOLDFAST_FAULT_POINT(recovery_socket_forgotten);
  }
  const Fd second(std::exchange(record.second_fd, -1));
  HOLDFAST_FAULT_POINT(recovery_second_forgotten);
  record.backend = state::kNoBackend;
  record.second_backend = state::kNoBackend;
  forget_all_but_failed(record);
}

state::PoolCounters& Connector::counters() const {
  return context_.counters.pools[pool_.index()];
}

}  // namespace holdfast::relay
