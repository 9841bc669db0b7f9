#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/http_request.h"
#include "holdfast/base/clock.h"
#include "holdfast/base/fd.h"
#include "holdfast/loop/poll.h"

namespace holdfast::cli {

// One client of a Responder: takes its requests in turn and answers them. On the loop's thread,
// owned by the Responder.
class ResponderConnection final : private loop::Poll::Handler {
 public:
  class Owner {
   public:
    // Destroys the connection.
    virtual void connection_ended(ResponderConnection& connection) = 0;

   protected:
    ~Owner() = default;
  };

  // `name` and `owner` outlive the connection.
  ResponderConnection(loop::Loop& loop, Fd socket, std::string_view name, Owner& owner);

  // Nothing has moved for too long: no request came to its end, no byte of an answer was taken.
  [[nodiscard]] bool is_overdue(TimePoint now) const;

 private:
  enum class State : std::uint8_t {
    serving,
    lingering,  // the last answer is out; what the client still sends is read and dropped
  };
  enum class Progress : std::uint8_t { done, blocked, failed };

  void on_ready(loop::Poll& poll, loop::Readiness ready) override;
  // These return false when the connection is over.
  [[nodiscard]] bool receive();
  [[nodiscard]] bool serve();
  [[nodiscard]] bool linger();
  void answer(const ParsedRequest& parsed);
  void answer_request(const HttpRequest& request);
  void answer_error(std::string_view status);
  [[nodiscard]] Progress send_pending();
  [[nodiscard]] std::string_view next_piece() const;

  loop::Loop& loop_;
  Fd socket_;
  std::string_view name_;
  Owner& owner_;
  State state_ = State::serving;
  std::string input_;
  bool input_ended_ = false;  // the client has closed its half, and may still want its answers
  std::string output_;
  std::size_t output_sent_ = 0;
  std::uint64_t filler_left_ = 0;  // bytes of a /bytes/N body still to come after output_
  bool last_answer_ = false;
  TimePoint last_progress_;
  loop::Poll poll_;
};

}  // namespace holdfast::cli
