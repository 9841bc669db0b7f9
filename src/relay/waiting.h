#pragma once

#include <memory>
#include <optional>

#include "holdfast/pool/pool.h"
#include "holdfast/state/connection_record.h"
#include "relay/client_watch.h"
#include "relay/context.h"
#include "relay/deadlines.h"

namespace holdfast::relay {

// The waiting phase of a session: its place in the pool's queue, which may be served by any thread;
// its deadline; and an eye on the client, which may leave. Nothing is read from that meanwhile.
//
// That it waits, and since when, stands in the record. A successor puts it back.
//
// Made and destroyed by its Session, on its thread. Destroying it leaves the queue.
class Waiting final : private pool::Ticket, private ClientWatch::Owner, private Waiter {
 public:
  // Each of them ends the wait; the owner destroys it, in the call or later.
  class Owner {
   public:
    // A place on this backend is the session's own, counted already.
    virtual void on_turn(const pool::Backend& backend) = 0;
    virtual void on_waited_too_long() = 0;
    virtual void on_client_left() = 0;

   protected:
    ~Owner() = default;
  };

  // The record is `waiting`.
  Waiting(Context& context, const Service& service, state::ConnectionRecord& record, Owner& owner);
  ~Waiting() override;

  // The deadline, which counts from record.active_at: before begin() of this or any other.
  void begin_deadline();
  // Takes its place in the queue; the owner is called later, if it waits. `exceeds`: it had been
  // let in before.
  [[nodiscard]] pool::Joined begin(bool exceeds);
  // The same for one that had its place when a worker died.
  [[nodiscard]] pool::Joined begin_again();

 private:
  // How word of its turn finds it, or that it is gone. Its thread's own.
  struct Call {
    Waiting* waiting;
  };

  [[nodiscard]] pool::Joined watch(pool::Joined joined);
  void on_turn(std::uint16_t backend, const SocketAddress& address) override;
  void on_client_left() override;
  void on_deadline() override;
  void take_turn();

  Context& context_;
  const Service& service_;
  state::ConnectionRecord& record_;
  Owner& owner_;
  std::optional<ClientWatch> client_;
  std::shared_ptr<Call> call_ = std::make_shared<Call>(Call{this});
  bool is_in_ = false;     // the queue, or served from it
  pool::Backend backend_;  // that it was served; under the pool's mutex until it has left the queue
};

}  // namespace holdfast::relay
