#pragma once

#include <array>
#include <memory>
#include <optional>

#include "holdfast/state/connection_record.h"
#include "relay/alarm.h"
#include "relay/attempt.h"
#include "relay/client_watch.h"
#include "relay/context.h"

namespace holdfast::relay {

// The connecting phase of a session: finds a backend that answers, before any byte of the client is
// with one, so that the client notices nothing but time. Tries one after the other, never one
// twice while another is left; while a connect is late, a second races it, and the first to be done
// wins. At most two at a time.
//
// What is under way stands in the record. A successor forgets it all and begins again: a connect
// costs nothing but time.
//
// Made and destroyed by its Session, on its thread.
class Connector final : private Attempt::Owner, private ClientWatch::Owner {
 public:
  class Owner {
   public:
    // record.backend is connected to by record.backend_fd, of which this is the poll. The connector
    // is to be destroyed; so is it after the other one.
    virtual void on_connected(std::unique_ptr<loop::Poll> poll) = 0;
    // No backend, no attempt or no time is left.
    virtual void on_nobody_left() = 0;
    // Nobody is there to connect for: the client was reset. What is under way still is.
    virtual void on_client_hung_up() = 0;

   protected:
    ~Owner() = default;
  };

  Connector(Context& context, const Service& service, state::ConnectionRecord& record,
            Owner& owner);
  Connector(const Connector&) = delete;

  // May call the owner, and end with it, before it returns.
  void begin();
  // The same with a backend that the client was given already, counted as active.
  void begin_with(const pool::Backend& backend);
  // Once nobody is left: whether another backend might be tried if it had a place.
  [[nodiscard]] bool may_go_on() const { return has_attempts_left() && !is_out_of_time_; }

  // Closes what is under way, and calls nobody.
  void abandon();

  // Instead of that, for what a worker that died left in the record: it is forgotten.
  static void forget(state::ConnectionRecord& record);

 private:
  enum class Why : std::uint8_t { first, failover, hedge };

  void on_outcome(Attempt& attempt, int code) override;
  void on_client_left() override;
  void on_lasting();
  void on_late();
  void on_total_reached();

  void begin_deadlines();
  [[nodiscard]] const pool::Backend* pick(const Attempt& attempt, Why why);
  [[nodiscard]] bool open(Attempt& attempt, Why why);
  [[nodiscard]] bool start(Attempt& attempt, const pool::Backend& backend, Why why);
  void go_on(Attempt& free);
  void win(Attempt& winner);
  void fail(Attempt& attempt, int code);
  void lose(Attempt& attempt);
  [[nodiscard]] bool is_late(const Attempt& attempt) const;
  [[nodiscard]] Attempt* place_for_another(Why& why);
  void expect_next();
  void look_again();
  [[nodiscard]] bool has_attempts_left() const;
  [[nodiscard]] Attempt& other(const Attempt& attempt) {
    return attempts_[&attempt == attempts_.data() ? 1 : 0];
  }
  [[nodiscard]] state::PoolCounters& counters() const;

  Context& context_;
  const Service& service_;
  pool::Pool& pool_;
  state::ConnectionRecord& record_;
  Connector::Owner& owner_;
  std::array<Attempt, 2> attempts_;
  Alarm<Connector> late_;
  Alarm<Connector> total_;
  Alarm<Connector> lasting_;
  std::optional<ClientWatch> client_;  // once it has lasted
  bool was_denied_ = false;
  bool is_out_of_time_ = false;
};

}  // namespace holdfast::relay
