#include "relay/session.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"
#include "relay/backend_report.h"
#include "relay/connection_log.h"

namespace holdfast::relay {
namespace {

using loop::Readiness;
using state::CloseCause;
using state::ConnectionState;
using state::FlowState;
using state::ResetBy;

// A backend that closes a connection in this time, and says nothing, refuses to serve.
constexpr Duration kRefusal = std::chrono::seconds(1);

// When one whose time is over before its turn to go on has come is looked at again.
constexpr Duration kResumptionCheck = std::chrono::milliseconds(10);

}  // namespace

Session::Session(Context& context, std::shared_ptr<const Service> service,
                 state::ConnectionRecord& record, Owner& owner)
    : context_(context),
      service_(std::move(service)),
      record_(record),
      owner_(owner),
      replay_(record, service_->pool->config().replay.up_to, context.pump_tools.pipes) {
  if (context_.connection_log == ConnectionLog::all) {
    // Once both ends have said FIN, the kernel doesn't know it any more.
    client_name_ = name_of_client(record_.client_fd);
  }
}

void Session::resume() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POISON(poison, record_.client_fd);
  switch (record_.state) {
    case ConnectionState::accepting:
      tune_stream(record_.client_fd);
      start();
      return;
    case ConnectionState::waiting:
      resume_waiting();
      return;
    case ConnectionState::connecting:
      resume_connecting();
      return;
    case ConnectionState::relaying:
      resume_relaying();
      return;
    case ConnectionState::free:
    case ConnectionState::closing:
      break;
  }
  assert(false && "not a live record");
}

void Session::resume_deadline() {
  if (record_.state == ConnectionState::waiting) {
    begin_waiting();
    return;
  }
  if (record_.state != ConnectionState::relaying) {
    return;  // connects begin again, and their time with them
  }
  deadline().touch(*this, from_nanoseconds(record_.active_at));
}

// No backend has a byte that it would get again.
void Session::resume_relaying() {
  client_poll_.emplace(context_.loop, record_.client_fd, *this);
  backend_poll_ = std::make_unique<loop::Poll>(context_.loop, record_.backend_fd, *this);
  replay_.resume();
  // A FIN that was about to be passed on may not have been; once more does no harm.
  if (record_.to_backend.state == FlowState::shut) {
    ::shutdown(record_.backend_fd, SHUT_WR);
  }
  if (record_.to_client.state == FlowState::shut) {
    ::shutdown(record_.client_fd, SHUT_WR);
  }
  HOLDFAST_FAULT_POINT(recovery_fins_repeated);
  // A dead worker may have taken the error that would tell of a reset: nobody else hears of it.
  auto& towards_dead = record_.reset == ResetBy::client ? to_client_ : to_backend_;
  if (was_reset() && !towards_dead.is_over()) {
    on_reset(towards_dead, record_.reset);
    mark_active();
  }
  constexpr Readiness kBoth{.writable = true};  // directions; no poll has called a socket readable
  relay(kBoth, kBoth);
}

void Session::on_ready(loop::Poll& poll, Readiness ready) {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(session_woken);
  HOLDFAST_FAULT_POISON(poison, record_.client_fd);
  if (&poll == &*client_poll_) {
    relay(ready, {});
  } else {
    relay({}, ready);
  }
}

// One socket has something to say: run the directions it can have woken, then wait for what they
// wait for. A failed socket wakes both: its bytes come out before its error does.
void Session::relay(Readiness client, Readiness backend) {
  const auto to_backend_before = record_.to_backend.delivered;
  const auto to_client_before = record_.to_client.delivered;
  const int over_before = directions_over();
  const bool failed = client.failed || backend.failed;
  if (failed || client.readable || backend.writable) {
    run(to_backend_, client.readable);
  }
  if (failed || backend.readable || client.writable || to_backend_.is_unsettled) {
    run(to_client_, backend.readable);
  }
  HOLDFAST_FAULT_POINT(session_flows_run);
  const bool moved = count_progress(to_backend_before, to_client_before);
  HOLDFAST_FAULT_POINT(session_progress_counted);
  if (to_backend_.is_unsettled || to_client_.is_unsettled) {
    report_unanswered();
    if (replay(cause_of_backends_end())) {
      return;
    }
    settle(to_backend_);
    settle(to_client_);
  }
  if (moved || directions_over() > over_before) {
    mark_active();
  }
  if (directions_over() == 2) {
    finish_when_delivered();
    return;
  }
  wait_for_more();
}

void Session::run(Flow& flow, bool source_ready) {
  if (flow.is_over()) {
    return;
  }
  const bool from_client = &flow == &to_backend_;
  flow.stop = pump(flow.record, from_client ? record_.client_fd : record_.backend_fd,
                   from_client ? record_.backend_fd : record_.client_fd, source_ready,
                   context_.pump_tools, replay_.witness());
  flow.is_unsettled = true;
  // An end before the first byte may be no end: first all is heard that the backend has said.
  if (!tells_of_backends_end(flow) || is_answered()) {
    settle(flow);
  }
}

bool Session::tells_of_backends_end(const Flow& flow) const {
  switch (flow.stop) {
    case PumpStop::finished:
    case PumpStop::source_reset:
      return &flow == &to_client_;
    case PumpStop::sink_reset:
      return &flow == &to_backend_;
    case PumpStop::source_blocked:
    case PumpStop::sink_blocked:
    case PumpStop::budget_spent:
      return false;
  }
  std::abort();
}

// What it means for the session that a pump has stopped.
void Session::settle(Flow& flow) {
  if (!std::exchange(flow.is_unsettled, false)) {
    return;
  }
  const bool from_client = &flow == &to_backend_;
  auto& opposite = from_client ? to_client_ : to_backend_;
  const int sink = from_client ? record_.backend_fd : record_.client_fd;
  const auto source_end = from_client ? ResetBy::client : ResetBy::backend;
  const auto sink_end = from_client ? ResetBy::backend : ResetBy::client;
  switch (flow.stop) {
    case PumpStop::source_blocked:
    case PumpStop::sink_blocked:
    case PumpStop::budget_spent:
      return;
    case PumpStop::finished:
      if (was_reset()) {
        // The write that met the reset took the error with it, so the read sees a plain end. It
        // isn't one: no FIN is passed on (scar 16).
        abort_flow(flow.record, context_.pump_tools);
        return;
      }
      HOLDFAST_FAULT_POINT(session_fin_due);
      flow.record.state = FlowState::shut;
      HOLDFAST_FAULT_POINT(session_fin_noted);
      ::shutdown(sink, SHUT_WR);
      HOLDFAST_FAULT_POINT(session_fin_passed);
      return;
    case PumpStop::source_reset:
      on_reset(opposite, source_end);
      abort_flow(flow.record, context_.pump_tools);
      return;
    case PumpStop::sink_reset:
      // The other direction goes on: what the dead peer had written before is still to be had.
      on_reset(flow, sink_end);
      return;
  }
}

// A socket was reset. What it was to receive is lost; what it sent is delivered first.
void Session::on_reset(Flow& towards_dead, ResetBy dead) {
  HOLDFAST_FAULT_POINT(session_reset_seen);
  if (!was_reset()) {
    record_.reset = dead;
  }
  HOLDFAST_FAULT_POINT(session_reset_noted);
  if (!towards_dead.is_over()) {
    abort_flow(towards_dead.record, context_.pump_tools);
  }
}

// Of an end that isn't settled yet. A reset may be in the record already: recovery reads it off the
// socket where a dead worker took the error.
bool Session::is_reset_by_backend() const {
  return record_.reset == ResetBy::backend || to_backend_.is_unsettled ||
         to_client_.stop == PumpStop::source_reset;
}

CloseCause Session::cause_of_backends_end() const {
  return is_reset_by_backend() ? CloseCause::backend_reset : CloseCause::finished;
}

// The backend is gone before its first byte.
void Session::report_unanswered() {
  if (is_answered() || record_.reset == ResetBy::client || is_judged_) {
    return;
  }
  is_judged_ = true;
  auto& pool = *service_->pool;
  const auto& asked = record_.to_backend;
  if (is_reset_by_backend()) {
    report_failure(context_, pool, record_.backend, "reset before its first byte");
  } else if (asked.state != FlowState::open) {
    report_success(context_, pool, record_.backend);  // both were done
  } else if (asked.delivered > 0 || nanoseconds_lived() < kRefusal.count()) {
    report_failure(context_, pool, record_.backend, "closed before its first byte");
  }
}

// Whether a byte has moved.
bool Session::count_progress(std::uint64_t to_backend_before, std::uint64_t to_client_before) {
  const auto sent = record_.to_backend.delivered - to_backend_before;
  const auto received = record_.to_client.delivered - to_client_before;
  if (sent + received == 0) {
    return false;
  }
  auto& listener = context_.counters.listeners[service_->listener];
  auto& backend = context_.counters.backends[record_.backend];
  // What goes to a second backend came from the client once.
  const auto after = std::max<std::uint64_t>(record_.to_backend.delivered, record_.replayed);
  listener.received_bytes.add(after - std::max<std::uint64_t>(to_backend_before, record_.replayed));
  listener.sent_bytes.add(received);
  backend.sent_bytes.add(sent);
  backend.received_bytes.add(received);
  if (received > 0 && !std::exchange(is_judged_, true)) {
    report_success(context_, *service_->pool, record_.backend);
  }
  return true;
}

void Session::mark_active() {
  record_.active_at = to_nanoseconds(context_.loop.now());
  deadline().touch(*this);
}

void Session::wait_for_more() {
  client_poll_->want(to_backend_.wants_source(), to_client_.wants_sink());
  backend_poll_->want(to_client_.wants_source(), to_backend_.wants_sink());
  HOLDFAST_FAULT_POINT(session_waits);
}

DeadlineList& Session::deadline() const {
  return directions_over() > 0 ? service_->half_close_deadline : service_->idle_deadline;
}

// A loop runs its timers before its polls. After a pause of the process or of the whole machine
// everything is overdue, and what arrived meanwhile has not been looked at.
bool Session::is_event_waiting() const {
  return is_ready(record_.client_fd, to_backend_.wants_source(), to_client_.wants_sink()) ||
         is_ready(record_.backend_fd, to_client_.wants_source(), to_backend_.wants_sink());
}

void Session::on_deadline() {
  const Handling handling(context_, record_);
  HOLDFAST_FAULT_POINT(session_deadline_reached);
  if (delivery_ends_) {
    finish_when_delivered();
  } else if (!client_poll_) {
    // What a worker left can't be judged before it is resumed: bytes may be in a pipe for a sink
    // that takes them by now, or a FIN be due.
    context_.deadlines.list(kResumptionCheck).touch(*this);
  } else if (is_event_waiting()) {
    deadline().touch(*this);
  } else if (directions_over() > 0) {
    end(CloseCause::half_close_timeout, true);
  } else {
    close(CloseCause::idle_timeout);
  }
}

}  // namespace holdfast::relay
