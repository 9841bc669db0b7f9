#pragma once

#include <memory>
#include <optional>
#include <string>

#include "holdfast/loop/poll.h"
#include "holdfast/state/connection_record.h"
#include "relay/connector.h"
#include "relay/context.h"
#include "relay/replay.h"
#include "relay/waiting.h"

namespace holdfast::relay {

// One client's connection, from accept to close: connecting, or waiting for a place on a backend,
// then relaying through two pumps. What it needs to go on is in its record; this object only has
// the polls that wake it. Owned by its Relay, on that relay's thread. docs/sessions.md has its
// states in a diagram.
class Session final : public loop::Poll::Handler,
                      private Waiter,
                      private Connector::Owner,
                      private Waiting::Owner {
 public:
  class Owner {
   public:
    // The session has let go of its descriptors and is to be destroyed.
    virtual void on_session_end(Session& session) = 0;

   protected:
    ~Owner() = default;
  };

  // The record is `accepting` and names the client's socket, which is the session's from now on.
  Session(Context& context, std::shared_ptr<const Service> service, state::ConnectionRecord& record,
          Owner& owner);
  Session(const Session&) = delete;

  // Looks for a backend. May end the session, and with it this object, before it returns; so may
  // every later callback and close().
  void start();

  // Instead of start(): goes on with a live record that another process left, in whatever state.
  void resume();

  // Before resume() of this or any other session, in the order of active_at: deadlines that ran
  // run on.
  void resume_deadline();

  // Ends it from outside: with FIN when nothing is in flight, else with RST, so that no peer takes
  // half an answer for a whole one.
  void close(state::CloseCause cause);

  [[nodiscard]] state::ConnectionRecord& record() { return record_; }

 private:
  // A direction that the poll of a socket can wake.
  struct Flow {
    state::FlowRecord& record;
    PumpStop stop = PumpStop::source_blocked;
    bool is_unsettled = false;  // what the stop means for the session is still to be seen to

    [[nodiscard]] bool is_over() const {
      return record.state == state::FlowState::shut || record.state == state::FlowState::aborted;
    }
    [[nodiscard]] bool wants_source() const { return !is_over() && stop != PumpStop::sink_blocked; }
    [[nodiscard]] bool wants_sink() const { return !is_over() && stop == PumpStop::sink_blocked; }
  };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void on_deadline() override;

  void on_connected(std::unique_ptr<loop::Poll> poll) override;
  void on_nobody_left() override;
  void on_client_hung_up() override;
  void on_turn(const pool::Backend& backend) override;
  void on_waited_too_long() override;
  void on_client_left() override;

  void make_connector();
  void connect();
  void begin_waiting();
  void wait_or_reject(pool::Joined joined);
  void resume_connecting();
  void resume_waiting();
  void resume_relaying();
  void relay(loop::Readiness client, loop::Readiness backend);
  void run(Flow& flow, bool source_ready);
  void settle(Flow& flow);
  [[nodiscard]] bool tells_of_backends_end(const Flow& flow) const;
  [[nodiscard]] bool is_answered() const {
    return record_.to_client.delivered > 0 || record_.to_client.held > 0;
  }
  [[nodiscard]] bool is_reset_by_backend() const;
  void report_unanswered();
  [[nodiscard]] bool replay(state::CloseCause cause);
  [[nodiscard]] state::CloseCause cause_of_backends_end() const;
  void on_reset(Flow& towards_dead, state::ResetBy dead);
  [[nodiscard]] bool count_progress(std::uint64_t to_backend_before,
                                    std::uint64_t to_client_before);
  void mark_active();
  void wait_for_more();
  [[nodiscard]] DeadlineList& deadline() const;
  [[nodiscard]] int directions_over() const {
    return (to_backend_.is_over() ? 1 : 0) + (to_client_.is_over() ? 1 : 0);
  }
  [[nodiscard]] bool is_event_waiting() const;
  [[nodiscard]] bool was_reset() const { return record_.reset != state::ResetBy::nobody; }
  void finish_when_delivered();
  void reject(state::Rejection reason);
  void end(state::CloseCause cause, bool reset);
  void begin_closing();
  void let_go();
  void release_backend();
  [[nodiscard]] std::int64_t nanoseconds_lived() const;
  [[nodiscard]] bool is_busy() const;
  [[nodiscard]] bool is_in_flight() const;

  Context& context_;
  std::shared_ptr<const Service> service_;
  state::ConnectionRecord& record_;
  Owner& owner_;
  std::unique_ptr<Connector> connector_;  // while connecting
  std::optional<Waiting> waiting_;        // while waiting
  bool is_resumed_ = false;               // a worker before this one had let it in
  Replay replay_;
  Flow to_backend_{record_.to_backend};
  Flow to_client_{record_.to_client};
  std::optional<loop::Poll> client_poll_;
  std::unique_ptr<loop::Poll> backend_poll_;
  std::optional<TimePoint> delivery_ends_;
  bool is_judged_ = false;   // the pool has heard how the backend fares with this connection
  std::string client_name_;  // when every connection is logged
};

}  // namespace holdfast::relay
