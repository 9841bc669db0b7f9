#include "holdfast/relay/relay.h"

#include <algorithm>
#include <list>
#include <map>
#include <unordered_map>

#include "holdfast/base/fault.h"
#include "holdfast/base/socket.h"
#include "holdfast/state/connection_table.h"
#include "relay/backend_closing.h"
#include "relay/listener.h"
#include "relay/recovery.h"
#include "relay/resumption.h"
#include "relay/session.h"

namespace holdfast::relay {
namespace {

constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr auto kShortageLogInterval = std::chrono::minutes(1);
constexpr auto kFailureLogInterval = std::chrono::milliseconds(100);

}  // namespace

class Relay::Impl final : public Listener::Owner, public Session::Owner {
 public:
  Impl(loop::Loop& loop, const RelayOptions& options, state::SharedState& shared,
       std::span<state::ConnectionRecord> records, Log& log)
      : scratch_(std::make_unique_for_overwrite<char[]>(kScratchSize)),
        pipes_(options.limits.max_pipes, options.limits.max_large_pipes,
               options.limits.max_roomy_pipes),
        deadlines_(loop),
        mailbox_(loop),
        table_(records, shared, shared.per_thread[options.thread], options.limits.max_connections),
        context_{.loop = loop,
                 .shared = shared,
                 .counters = shared.per_thread[options.thread],
                 .table = table_,
                 .pump_tools = {pipes_, {scratch_.get(), kScratchSize}},
                 .deadlines = deadlines_,
                 .mailbox = mailbox_,
                 .log = log,
                 .connection_log = options.limits.connection_log,
                 .log_limit = LogLimit(kFailureLogInterval)},
        resumption_(mailbox_, [this](auto& record, auto id) { resume_session(record, id); }),
        shortage_log_limit_(kShortageLogInterval),
        resume_timer_(loop, [this] { resume(); }) {}

  ~Impl() { close_all(); }

  void configure(const ListenerSettings& settings) {
    auto service = std::make_shared<const Service>(Service{
        .listener = settings.index,
        .listener_name = settings.name,
        .pool = settings.pool,
        .connect_deadline = deadlines_.list(settings.pool->config().connect.timeout),
        .connect_total_deadline = deadlines_.list(settings.pool->config().connect.total),
        .idle_deadline = deadlines_.list(settings.idle_timeout),
        .half_close_deadline = deadlines_.list(settings.half_close_timeout),
        .half_close_timeout = settings.half_close_timeout,
    });
    for (auto& listener : listeners_) {
      if (listener.listener() == settings.index) {
        listener.set_service(service);
      }
    }
    services_[settings.index] = std::move(service);
  }

  void set_limits(const RelayLimits& limits) {
    table_.set_limit(limits.max_connections);
    pipes_.set_limits(limits.max_pipes, limits.max_large_pipes, limits.max_roomy_pipes);
    context_.connection_log = limits.connection_log;
    resume();  // more connections may be allowed now
  }

  void listen(std::uint16_t listener, int socket) {
    const auto& service = services_.at(listener);
    if (const auto place = find(socket); place != listeners_.end()) {
      place->set_service(service);
    } else {
      listeners_.emplace_back(context_, service, Fd(socket), *this);
    }
  }

  Fd release(int socket) {
    const auto place = find(socket);
    Fd released = place->release();
    listeners_.erase(place);
    return released;
  }

  bool drain(int socket) {
    const auto place = find(socket);
    return place != listeners_.end() && place->drain_queue();
  }

  void close(int socket) {
    if (const auto place = find(socket); place != listeners_.end()) {
      static_cast<void>(place->drain_queue());
      listeners_.erase(place);
    }
  }

  void forget(std::uint16_t listener) { services_.erase(listener); }

  void recover(std::vector<AcceptedClient> unrecorded) {
    auto live = table_.live();
    std::ranges::sort(live, {}, &state::ConnectionRecord::active_at);
    std::vector<state::ConnectionRecord*> resumed;
    for (auto* record : live) {
      HOLDFAST_FAULT_POINT(recovery_record_found);
      const Handling handling(context_, *record);
      const auto service = services_.find(record->listener);
      if (service == services_.end() || !reconcile(*record)) {
        give_up(*record);
        continue;
      }
      HOLDFAST_FAULT_POINT(recovery_reconciled);
      for (const auto* flow : {&record->to_backend, &record->to_client}) {
        if (flow->pipe_read >= 0) {
          pipes_.adopt({flow->pipe_read, flow->pipe_write});
        }
      }
      if (record->keep_read >= 0) {
        pipes_.adopt({record->keep_read, record->keep_write});
      }
      context_.counters.recovered.add(1);
      auto& session = begin(service->second, *record);
      HOLDFAST_FAULT_POINT(recovery_session_made);
      session.resume_deadline();
      resumed.push_back(record);
    }
    resumption_.begin(std::move(resumed));
    for (auto& client : unrecorded) {
      auto* record = table_.take();
      if (record == nullptr) {
        continue;  // more than max_connections by now: closed
      }
      HOLDFAST_FAULT_POINT(recovery_client_taken);
      record->listener = client.listener;
      record->client_fd = client.socket.release();
      HOLDFAST_FAULT_POINT(recovery_client_recorded);
      begin(services_.at(client.listener), *record).resume();
    }
  }

  void stop_accepting() {
    for (auto& listener : listeners_) {
      static_cast<void>(listener.drain_queue());
    }
    resume_timer_.stop();
    listeners_.clear();
  }

  // Only those that are relayed: a connect to the backend goes on as connects do.
  void close_backend(const BackendClosing& closing) {
    resumption_.finish();
    std::vector<Session*> due;
    for (auto& [record, session] : sessions_) {
      if (record->backend == closing.backend && record->state == state::ConnectionState::relaying &&
          is_due(*record, closing)) {
        due.push_back(&session);
      }
    }
    for (auto* session : due) {
      const Handling handling(context_, session->record());
      HOLDFAST_FAULT_POINT(relay_backend_closes);
      session->close(closing.cause);
    }
  }

  void close_all() {
    while (!sessions_.empty()) {
      sessions_.begin()->second.close(state::CloseCause::shutdown);
    }
  }

 private:
  [[nodiscard]] std::list<Listener>::iterator find(int socket) {
    return std::ranges::find_if(listeners_,
                                [&](const auto& listener) { return listener.fd() == socket; });
  }

  void resume_session(const state::ConnectionRecord& record, std::uint64_t id) {
    if (const auto session = sessions_.find(&record);
        session != sessions_.end() && record.id == id) {
      session->second.resume();
    }
  }

  Session& begin(const std::shared_ptr<const Service>& service, state::ConnectionRecord& record) {
    return sessions_.try_emplace(&record, context_, service, record, *this).first->second;
  }

  void on_client(const std::shared_ptr<const Service>& service,
                 state::ConnectionRecord& record) override {
    begin(service, record).start();
  }

  void on_session_end(Session& session) override {
    auto& record = session.record();
    sessions_.erase(&record);
    HOLDFAST_FAULT_POINT(relay_session_erased);
    table_.give_back(record);
    HOLDFAST_FAULT_POINT(relay_record_returned);
    if (out_of_records_) {
      resume();
    }
  }

  // A live record that nobody can go on with. Both ends are told by a reset. Whoever took stock of
  // the records counted it as open (worker/recovery).
  void give_up(state::ConnectionRecord& record) {
    for (const int fd : {record.client_fd, record.backend_fd, record.second_fd}) {
      reset_on_close(fd);  // first: it also holds if a successor has to close them
    }
    using state::ConnectionState;
    if (record.state == ConnectionState::relaying && record.backend < state::kMaxBackends) {
      context_.shared.backends[record.backend].active.decrement();
    }
    if (record.state != ConnectionState::accepting && record.listener < state::kMaxListeners) {
      context_.counters.listeners[record.listener].closed.add(1);
    }
    record.state = state::ConnectionState::closing;
    HOLDFAST_FAULT_POINT(recovery_given_up);
    discard(record);
    HOLDFAST_FAULT_POINT(recovery_discarded);
    context_.counters.lost.add(1);
    table_.give_back(record);
  }

  void on_shortage(const Service& service, int code) override {
    out_of_records_ = code == 0;
    context_.counters.listeners[service.listener].accept_pauses.add(1);
    for (auto& listener : listeners_) {
      listener.pause();
    }
    resume_timer_.start_once(kAcceptPause);
    std::uint64_t suppressed = 0;
    if (shortage_log_limit_.allow(context_.loop.now(), suppressed)) {
      context_.log.warning("accept paused",
                           {{"listener", service.listener_name},
                            {"reason", code == 0 ? "max_connections reached" : error_text(code)},
                            {"connections", context_.shared.connections.get()},
                            {"pause_ms", kAcceptPause.count()},
                            {"suppressed", suppressed}});
    }
  }

  void resume() {
    out_of_records_ = false;
    resume_timer_.stop();
    for (auto& listener : listeners_) {
      listener.resume();
    }
  }

  std::unique_ptr<char[]> scratch_;  // never touched, never there
  PipePool pipes_;
  Deadlines deadlines_;
  loop::Mailbox mailbox_;
  state::ConnectionTable table_;
  Context context_;
  std::map<std::uint16_t, std::shared_ptr<const Service>> services_;  // by listener
  std::list<Listener> listeners_;
  std::unordered_map<const state::ConnectionRecord*, Session> sessions_;
  Resumption resumption_;
  LogLimit shortage_log_limit_;
  loop::Timer resume_timer_;
  bool out_of_records_ = false;
};

Relay::Relay(loop::Loop& loop, const RelayOptions& options, state::SharedState& shared,
             std::span<state::ConnectionRecord> records, Log& log)
    : impl_(std::make_unique<Impl>(loop, options, shared, records, log)) {}

Relay::~Relay() = default;

void Relay::configure(const ListenerSettings& settings) {
  impl_->configure(settings);
}

void Relay::set_limits(const RelayLimits& limits) {
  impl_->set_limits(limits);
}

void Relay::listen(std::uint16_t listener, int socket) {
  impl_->listen(listener, socket);
}

Fd Relay::release(int socket) {
  return impl_->release(socket);
}

bool Relay::drain(int socket) {
  return impl_->drain(socket);
}

void Relay::close(int socket) {
  impl_->close(socket);
}

void Relay::forget(std::uint16_t listener) {
  impl_->forget(listener);
}

void Relay::recover(std::vector<AcceptedClient> unrecorded) {
  impl_->recover(std::move(unrecorded));
}

void Relay::stop_accepting() {
  impl_->stop_accepting();
}

void Relay::close_backend(const BackendClosing& closing) {
  impl_->close_backend(closing);
}

void Relay::close_all() {
  impl_->close_all();
}

}  // namespace holdfast::relay
