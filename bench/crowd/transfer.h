#pragma once

#include <optional>
#include <string>

#include "crowd/bulk_protocol.h"
#include "crowd/content_stream.h"
#include "holdfast/base/fd.h"
#include "holdfast/base/result.h"
#include "holdfast/base/socket_address.h"
#include "holdfast/loop/poll.h"
#include "holdfast/loop/timer.h"

namespace holdfast::bench {

// The client's end of one transfer, on a connection of its own. On the loop's thread; its owner
// owns it.
class Transfer final : private loop::Poll::Handler {
 public:
  class Owner {
   public:
    // Destroys the transfer. `loss` says what went wrong, and is empty when nothing did.
    virtual void transfer_ended(Transfer& transfer, const std::string& loss) = 0;

   protected:
    ~Owner() = default;
  };

  // The socket's connect is under way.
  Transfer(loop::Loop& loop, Fd socket, const BulkRequest& request, std::size_t number,
           Owner& owner);

  [[nodiscard]] std::size_t number() const { return number_; }
  [[nodiscard]] bool is_established() const { return state_ != State::connecting; }
  [[nodiscard]] std::uint64_t bytes() const;
  // At either end.
  [[nodiscard]] std::uint64_t wrong_bytes() const { return wrong_ + receiver_.wrong_bytes(); }
  [[nodiscard]] TimePoint last_progress() const { return last_progress_; }

 private:
  enum class State : std::uint8_t {
    connecting,
    asking,
    receiving,          // a download's content
    sending,            // an upload's
    reading_judgement,  // of an upload
    closing,            // our FIN is sent, and theirs awaited
  };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void go_on();
  // Each says how far it got; `done` leads to the next state.
  [[nodiscard]] Step step();
  [[nodiscard]] Step finish_connecting();
  [[nodiscard]] Step ask();
  [[nodiscard]] Step read_judgement();
  [[nodiscard]] Step await_end();
  [[nodiscard]] State next_state() const;

  Fd socket_;
  BulkRequest request_;
  std::size_t number_;
  Owner& owner_;
  State state_ = State::connecting;
  ContentSender sender_;
  ContentReceiver receiver_;
  NumberBytes judgement_{};
  std::size_t judgement_size_ = 0;
  std::uint64_t wrong_ = 0;
  TimePoint last_progress_;
  loop::Poll poll_;
  loop::Timer pause_;
};

}  // namespace holdfast::bench
