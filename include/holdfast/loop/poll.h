#pragma once

#include <uv.h>

#include <memory>

#include "holdfast/loop/loop.h"

namespace holdfast::loop {

// What a poll reports, and what one asks for (readable, writable).
struct Readiness {
  bool readable = false;
  bool writable = false;
  // EPOLLERR: the socket has an error pending, and maybe data before it. libuv has stopped the
  // poll (it says UV_EBADF whatever the error), so read until the error comes out (scar 13).
  bool failed = false;

  bool operator==(const Readiness&) const = default;
};

// Level-triggered interest in one descriptor, which is borrowed: destroy the Poll first, then
// close the descriptor. Destroying it inside its own callback is allowed.
class Poll {
 public:
  class Handler {
   public:
    virtual void on_ready(Poll& poll, Readiness ready) = 0;

   protected:
    ~Handler() = default;
  };

  // Nothing is polled until want(). The descriptor becomes non-blocking. The handler outlives the
  // Poll.
  Poll(Loop& loop, int fd, Handler& handler);
  Poll(Poll&&) = delete;

  // Tells another handler from now on.
  void hand_over(Handler& handler) { handler_ = &handler; }

  // Asks for these events from now on; asking for what is asked for already costs nothing.
  void want(bool readable, bool writable);
  // Asks, instead, for the end of what the other side sends (FIN or RST), whatever of that is still
  // to be read. No event says which; the callback's Readiness is empty but for `failed`.
  void want_end();
  // Asks, instead, for what is told without being asked for: that the socket was reset (`failed`),
  // or that both directions are closed. Urgent data wakes it as well, for as long as it is there.
  void want_hangup();

 private:
  void ask(int events);

  std::unique_ptr<uv_poll_t, detail::CloseHandle> handle_;
  Handler* handler_;
  int asked_ = 0;
};

}  // namespace holdfast::loop
