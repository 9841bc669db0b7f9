#include "holdfast/relay/relay.h"

#include <list>
#include <unordered_map>

#include "holdfast/state/connection_table.h"
#include "relay/listener.h"
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
        pipes_(options.max_pipes, options.max_large_pipes),
        deadlines_(loop),
        context_{.loop = loop,
                 .shared = shared,
                 .counters = shared.per_thread[options.thread],
                 .pump_tools = {pipes_, {scratch_.get(), kScratchSize}},
                 .deadlines = deadlines_,
                 .log = log,
                 .connection_log = options.connection_log,
                 .log_limit = LogLimit(kFailureLogInterval)},
        table_(records, shared, options.max_connections),
        shortage_log_limit_(kShortageLogInterval),
        resume_timer_(loop, [this] { resume(); }) {}

  ~Impl() { close_all(); }

  void listen(ListenerSockets listener) {
    services_.push_back(Service{
        .listener = listener.index,
        .listener_name = std::move(listener.name),
        .pool = *listener.pool,
        .connect_deadline = deadlines_.list(listener.pool->config().connect.timeout),
        .idle_deadline = deadlines_.list(listener.idle_timeout),
        .half_close_deadline = deadlines_.list(listener.half_close_timeout),
        .half_close_timeout = listener.half_close_timeout,
    });
    for (auto& socket : listener.sockets) {
      listeners_.emplace_back(context_, services_.back(), table_, std::move(socket), *this);
    }
  }

  void stop_accepting() {
    for (auto& listener : listeners_) {
      listener.drain_queue();
    }
    resume_timer_.stop();
    listeners_.clear();
  }

  void close_all() {
    while (!sessions_.empty()) {
      sessions_.begin()->second.close(state::CloseCause::shutdown);
    }
  }

  [[nodiscard]] std::size_t sessions() const { return sessions_.size(); }

 private:
  void on_client(const Service& service, state::ConnectionRecord& record) override {
    auto [place, fresh] = sessions_.try_emplace(&record, context_, service, record, *this);
    place->second.start();
  }

  void on_session_end(Session& session) override {
    auto& record = session.record();
    sessions_.erase(&record);
    table_.give_back(record);
    if (out_of_records_) {
      resume();
    }
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
  Context context_;
  state::ConnectionTable table_;
  std::list<Service> services_;  // addresses stay
  std::list<Listener> listeners_;
  std::unordered_map<const state::ConnectionRecord*, Session> sessions_;
  LogLimit shortage_log_limit_;
  loop::Timer resume_timer_;
  bool out_of_records_ = false;
};

Relay::Relay(loop::Loop& loop, const RelayOptions& options, state::SharedState& shared,
             std::span<state::ConnectionRecord> records, Log& log)
    : impl_(std::make_unique<Impl>(loop, options, shared, records, log)) {}

Relay::~Relay() = default;

void Relay::listen(ListenerSockets listener) {
  impl_->listen(std::move(listener));
}

void Relay::stop_accepting() {
  impl_->stop_accepting();
}

void Relay::close_all() {
  impl_->close_all();
}

std::size_t Relay::sessions() const {
  return impl_->sessions();
}

}  // namespace holdfast::relay
