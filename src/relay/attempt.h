#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "holdfast/base/result.h"
#include "holdfast/loop/poll.h"
#include "holdfast/state/connection_record.h"
#include "relay/context.h"
#include "relay/deadlines.h"

namespace holdfast::relay {

// One connect to one backend: its socket and its poll, when it began, by when it must be done. The
// socket and the backend stand in the connection's record, at the place that this attempt has
// there. One of its Connector's two, on its thread.
class Attempt final : public loop::Poll::Handler, private Waiter {
 public:
  class Owner {
   public:
    // The connect came to an end: 0 or an errno, ETIMEDOUT when it took too long. The attempt is
    // still open. The owner may end, and the attempt with it.
    virtual void on_outcome(Attempt& attempt, int code) = 0;

   protected:
    ~Owner() = default;
  };

  Attempt(Context& context, const state::ConnectionRecord& record, std::int32_t& fd,
          std::uint16_t& backend, Owner& owner)
      : context_(context), record_(record), fd_(fd), backend_(backend), owner_(owner) {}

  // Connects to the backend, which is counted as active already. When the connect fails at once, it
  // is still this attempt's backend.
  [[nodiscard]] Result<void> begin(const pool::Backend& backend, const ConnectOptions& options,
                                   DeadlineList& timeout);

  [[nodiscard]] bool is_open() const { return fd_ >= 0; }
  [[nodiscard]] std::uint16_t backend() const { return backend_; }
  [[nodiscard]] Duration age() const { return Clock::now() - began_; }
  // Began besides one that is under way, so that it was at the pool's expense.
  bool is_hedge = false;

  // What became of it, if that is known by now: after a pause of the process, deadlines come first.
  [[nodiscard]] std::optional<int> outcome() const;

  // Closes what is left and forgets the backend, which is released in the counts.
  void close(pool::Pool& pool);

  // The connected socket stays in the record; its poll is the caller's.
  [[nodiscard]] std::unique_ptr<loop::Poll> take();

 private:
  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  void on_deadline() override;

  Context& context_;
  const state::ConnectionRecord& record_;
  std::int32_t& fd_;
  std::uint16_t& backend_;
  Owner& owner_;
  std::unique_ptr<loop::Poll> poll_;
  TimePoint began_{};
};

}  // namespace holdfast::relay
