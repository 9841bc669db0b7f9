#pragma once

#include <functional>
#include <latch>
#include <thread>

#include "holdfast/loop/loop.h"
#include "holdfast/loop/mailbox.h"
#include "holdfast/loop/timer.h"
#include "holdfast/relay/relay.h"

namespace holdfast::worker {

// A thread, its loop and the relay it turns. Made and destroyed by the control thread, which may
// only post to it in between.
class RelayThread {
 public:
  RelayThread(const relay::RelayOptions& options, state::SharedState& shared,
              std::span<state::ConnectionRecord> records, Log& log);
  // Ends the thread, closing what connections are left.
  ~RelayThread();
  RelayThread(const RelayThread&) = delete;

  // Before start().
  void configure(const relay::ListenerSettings& settings) { relay_.configure(settings); }
  void listen(std::uint16_t listener, int socket) { relay_.listen(listener, socket); }
  // Goes on with what a worker before this one left to this thread, as soon as it runs; counts
  // `done` down then.
  void recover(std::vector<relay::AcceptedClient> unrecorded, std::latch& done);
  void start();

  // From the control thread; done at the thread's next turn, in the order they came. What is
  // captured lives until then.
  void post(std::function<void(relay::Relay&)> message);
  void stop_accepting();
  // The loop ends between two events, all connections as they are; for a process that is about to
  // end without closing anything. Returns when it has.
  void halt();

 private:
  void beat();

  unsigned index_;
  state::ThreadState& state_;
  loop::Loop loop_;
  loop::Mailbox mailbox_;
  relay::Relay relay_;
  loop::Timer heartbeat_;
  std::thread thread_;
};

}  // namespace holdfast::worker
