#pragma once

#include <cstddef>

#include "holdfast/state/connection_record.h"
#include "relay/pump.h"

namespace holdfast::relay {

// Keeps what the client has sent until the backend's first byte, so that the same bytes can go to
// another backend when this one is gone before it. They are kept by tee(2) in a pipe that the
// record names, and never come into this process.
//
// As long as anything is kept, all is that was taken from the client: what the backend got and what
// the flow's pipe holds. When it is more than `up_to`, when there is no pipe for it or not enough
// room in a roomy one, or when bytes can't be spliced, nothing is kept any more. One session's own.
class Replay final : public Witness {
 public:
  Replay(state::ConnectionRecord& record, std::size_t up_to, PipePool& pipes)
      : record_(record), up_to_(up_to), pipes_(pipes) {}

  // Before anything else is done with a new connection.
  void begin();

  // Goes on with a connection that relays, and that another worker left.
  void resume();

  // What is to see all that is pumped, either way; nobody once nothing is kept.
  [[nodiscard]] Witness* witness();

  // No byte has come from the backend, and nothing of what the client sent is missing.
  [[nodiscard]] bool is_possible() const;

  // The record is `connecting` from here on, as if nothing had been sent, and what is kept lies in
  // the flow's pipe. False, and nothing is changed, when that can't be.
  [[nodiscard]] bool rewind();

  // The same for a record that another worker left in the middle of it, or after it.
  [[nodiscard]] bool rewind_again();

  // Nothing is kept from here on.
  void stop();

 private:
  void on_taken(state::FlowRecord& flow) override;
  void on_copy(state::FlowRecord& flow) override;

  [[nodiscard]] std::size_t kept() const;
  [[nodiscard]] bool borrow_pipe();
  void give_back(Pipe pipe);
  [[nodiscard]] bool keep_in_a_roomier_pipe(const state::FlowRecord& flow);
  [[nodiscard]] Pipe copy(std::size_t bytes);
  void begin_flows_again(Pipe pipe, std::size_t bytes);

  state::ConnectionRecord& record_;
  std::size_t up_to_;
  PipePool& pipes_;
};

}  // namespace holdfast::relay
