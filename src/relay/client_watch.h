#pragma once

#include <cstdint>

#include "holdfast/loop/poll.h"
#include "relay/context.h"
#include "relay/deadlines.h"

namespace holdfast::relay {

// An eye on a client that no backend serves yet, and from which nothing is read meanwhile: whether
// it has left. Its socket is borrowed, and polled by nobody else as long as this lives. Made and
// destroyed by what the client waits for, on its thread.
class ClientWatch final : private loop::Poll::Handler, private Waiter {
 public:
  // What counts as leaving. Closing a TCP socket and half-closing it look the same from here, a
  // FIN, as long as nothing is sent to the client.
  enum class Leaving : std::uint8_t {
    by_fin,     // or by hanging up
    by_hangup,  // a reset; of a Unix socket, that it was closed
  };

  class Owner {
   public:
    // May destroy the watch.
    virtual void on_client_left() = 0;

   protected:
    ~Owner() = default;
  };

  ClientWatch(Context& context, int client, Leaving leaving, Owner& owner);

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void on_deadline() override;
  void look_later();

  Context& context_;
  int client_;
  Leaving leaving_;
  Owner& owner_;
  loop::Poll poll_;
};

}  // namespace holdfast::relay
